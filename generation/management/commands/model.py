"""``manage.py model demo``: the untrained demonstration pipeline, written and offered."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.catalogue.commands import UNTRAINED, offer_untrained_model
from generation.catalogue.queries import checkpoint_folder
from generation.engines.registry import engine, is_installed, missing_packages


class Command(BaseCommand):
    help = "Video models: `demo` writes a small untrained pipeline and offers it in the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["demo"])

    def handle(self, *_: Any, **__: Any) -> None:
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
