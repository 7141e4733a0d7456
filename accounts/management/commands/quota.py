"""``manage.py quota prove``: budgets against reservations. Silent when they agree, as they must."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.quotas.queries import discrepancies
from core.command_line import HouseCommand
from core.ids import shown


class Command(HouseCommand):
    help = "Prove that every budget's sums equal its reservations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["prove"])

    def handle(self, *_: Any, **__: Any) -> None:
        found = discrepancies()
        for budget, reserved, held, spent, settled in found:
            self.stdout.write(
                f"{shown('budget', budget)} reserved {reserved} but held {held},"
                f" spent {spent} but settled {settled}"
            )
        if found:
            raise CommandError(f"{len(found)} budgets do not add up.")
