"""manage.py role grant|end EMAIL ROLE --programme SLUG [--until DATE]."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from accounts.people.models import Person
from accounts.programmes.models import Programme, Role
from accounts.roles.commands import end_role, grant_role
from core.clock import is_in_range
from core.command_line import HouseCommand
from core.errors import Absent, Refusal


class Command(HouseCommand):
    help = "Give a member a role, or end it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=("grant", "end"))
        parser.add_argument("email")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--programme", required=True, metavar="SLUG")
        parser.add_argument("--until", metavar="DATE", help="its last day, like 2026-09-30")

    def handle(self, *_: Any, deed: str, email: str, role: str, **options: Any) -> None:
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            raise CommandError(f"There is no programme “{options['programme']}”.")
        person = Person.objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError("Nobody here has this address.")
        who: dict[str, Any] = {
            "programme_id": programme.id,
            "party_id": person.party_id,
            "role": Role(role),
        }
        try:
            if deed == "grant":
                grant_role(**who, expires_at=_end_of(options["until"], programme))
            else:
                end_role(**who)
        except Absent as absent:
            raise CommandError(
                "This person is not in the programme. Invite them first."
            ) from absent
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write("Granted." if deed == "grant" else "Ended.")


def _end_of(day: str | None, programme: Programme) -> datetime | None:
    """The midnight that ends this day in the programme's time zone."""
    if day is None:
        return None
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    if found is None or not is_in_range(found):
        raise CommandError("A day is written like 2026-09-30.")
    zone = ZoneInfo(programme.time_zone)
    return datetime.combine(found + timedelta(days=1), time.min, tzinfo=zone)
