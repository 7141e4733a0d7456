"""manage.py demo seed: the demonstration's programmes and people, made once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from greenroom.demonstration.seeding import seed
from greenroom.secrets import var_folder


class Command(HouseCommand):
    help = "The people of the demonstration; how they sign in is written to var/demo.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=("seed",))

    def handle(self, *_: Any, **__: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("There is no demonstration in production. Nothing was done.")
        path = var_folder() / "demo.json"
        made = seed(path)
        said = f"{made} sign-ins were made new" if made else "Everybody is there already"
        self.stdout.write(f"{said}; they stand in {path}.")
