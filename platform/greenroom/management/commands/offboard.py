"""manage.py offboard EMAIL --programme SLUG | --everywhere."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.people.models import Person
from accounts.programmes.models import Programme
from core.command_line import HouseCommand
from core.errors import Absent, Refusal
from greenroom.offboarding.commands import Ended, offboard_everywhere, offboard_member
from greenroom.offboarding.rules import Why


class Command(HouseCommand):
    help = (
        "End somebody's membership with everything that hangs on it, or all of them and the"
        " account. Finished work and pay stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--programme", metavar="SLUG")
        where.add_argument("--everywhere", action="store_true")
        parser.add_argument("--reason", choices=Why.values, default=Why.OVER.value)

    def handle(self, *_: Any, email: str, programme: str | None, reason: str, **__: Any) -> None:
        person = Person.objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError("Nobody here has this address.")
        try:
            if programme is None:
                ended = offboard_everywhere(party_id=person.party_id, reason=Why(reason))
            else:
                ended = _from(programme, person, Why(reason))
        except Absent as absent:
            raise CommandError("This person is not in the programme.") from absent
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(
            f"Ended: {ended.programmes} memberships, {ended.credentials} tokens and sign-ins."
            f" Jobs cancelled: {ended.jobs_cancelled}, stopping: {ended.jobs_stopping}."
            f" Cases handed back: {ended.cases_returned}."
        )


def _from(slug: str, person: Person, reason: Why) -> Ended:
    found = Programme.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no programme “{slug}”.")
    return offboard_member(programme_id=found.id, party_id=person.party_id, reason=reason)
