"""manage.py cohort make|list|end --programme SLUG [NAME]."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.cohorts.commands import end_cohort, make_cohort
from accounts.cohorts.queries import cohorts_in
from accounts.programmes.models import Programme
from core.command_line import HouseCommand
from core.errors import Refusal


class Command(HouseCommand):
    help = "Name a group of members, to invite and to write to together; list them; end one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=("make", "list", "end"))
        parser.add_argument("name", nargs="?")
        parser.add_argument("--programme", required=True, metavar="SLUG")

    def handle(self, *_: Any, deed: str, name: str | None, programme: str, **__: Any) -> None:
        found = Programme.objects.filter(slug=programme).first()
        if found is None:
            raise CommandError(f"There is no programme “{programme}”.")
        if deed == "list":
            for cohort in cohorts_in(found.id):
                self.stdout.write(f"{cohort.name}: {cohort.members}")  # type: ignore[attr-defined]
            return
        if not name:
            raise CommandError("Name the cohort.")
        try:
            self._change(deed, found, name)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal

    def _change(self, deed: str, programme: Programme, name: str) -> None:
        if deed == "make":
            self.stdout.write(make_cohort(programme_id=programme.id, name=name).name)
            return
        cohort = cohorts_in(programme.id).filter(name__iexact=name).first()
        if cohort is None:
            raise CommandError(f"There is no cohort “{name}” in this programme.")
        end_cohort(cohort_id=cohort.id)
        self.stdout.write("Ended. Its members stay in the programme.")
