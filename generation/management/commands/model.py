"""``manage.py model offer|demo``: the models that come along, and files of the untrained one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.catalogue.commands import (
    UNTRAINED,
    offer_still_model,
    offer_untrained_model,
)
from generation.catalogue.queries import checkpoint_folder
from generation.engines.registry import engine, is_installed, missing_packages


class Command(BaseCommand):
    help = (
        "Video models: `offer` puts those that come along into the catalogue, `demo` writes the"
        " files of the small untrained pipeline among them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["offer", "demo"])

    def handle(self, *_: Any, deed: str, **__: Any) -> None:
        if deed == "offer":
            for model in (offer_still_model(), offer_untrained_model()):
                self.stdout.write(f"{model.name} {model.revision} is offered.")
        else:
            self._write_untrained()

    def _write_untrained(self) -> None:
        if not is_installed("diffusers"):
            missing = ", ".join(missing_packages("diffusers"))
            raise CommandError(f"The video engine is not installed: {missing} is missing.")
        from generation.engines.local.tiny import write_tiny_pipeline

        folder = checkpoint_folder(UNTRAINED.checkpoint)
        assert folder is not None
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_tiny_pipeline(folder)
        if engine(UNTRAINED.engine).capabilities(folder) != UNTRAINED.limits:
            raise CommandError(f"The files in {folder} have other limits than the catalogue says.")
        model = offer_untrained_model()
        self.stdout.write(f"{model.name} {model.revision} is ready.")
