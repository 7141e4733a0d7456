"""``manage.py model demo``: the untrained demonstration pipeline, written and offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.catalogue.commands import noise_model, offer_model
from generation.engines.registry import is_installed, missing_packages

FOLDER = "untrained-ltx"


class Command(BaseCommand):
    help = "Video models: `demo` writes a small untrained pipeline and offers it in the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["demo"])

    def handle(self, *_: Any, **__: Any) -> None:
        if not is_installed("diffusers"):
            missing = ", ".join(missing_packages("diffusers"))
            raise CommandError(f"The video engine is not installed: {missing} is missing.")
        from generation.engines.local.tiny import write_tiny_pipeline

        folder = Path(settings.MODELS_FOLDER) / FOLDER
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_tiny_pipeline(folder)
        index = json.loads((folder / "model_index.json").read_text())
        model = offer_model(noise_model(folder, f"diffusers-{index['_diffusers_version']}"))
        self.stdout.write(f"{model.name} {model.revision} is offered.")
