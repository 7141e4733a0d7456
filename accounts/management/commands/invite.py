"""manage.py invite EMAIL|--csv FILE --programme SLUG: a seat in a programme, by a link that opens
once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.cohorts.queries import cohorts_in
from accounts.invitations.commands import (
    AlreadyInvited,
    SentAMomentAgo,
    invite_many,
    invite_person,
    resend_invitation,
)
from accounts.invitations.lists import MOST_BYTES
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitation_link
from accounts.invitations.rules import LASTS
from accounts.programmes.models import Programme, Role
from core.command_line import HouseCommand
from core.errors import Refusal
from core.ids import read_id


class Command(HouseCommand):
    help = (
        "Invite somebody, or everybody on a list, to a programme. Letters go out by themselves; the"
        " link of a single invitation stands on the last line, too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?")
        parser.add_argument("--csv", metavar="FILE", help="email,language,name; 300 lines at most")
        parser.add_argument("--programme", required=True, metavar="SLUG")
        parser.add_argument("--role", choices=Role.values, default=Role.TESTER.value)
        parser.add_argument("--cohort", metavar="NAME")
        parser.add_argument("--language", default="", help="of the letter, like en or pt-BR")
        parser.add_argument("--again", action="store_true", help="a new link for who is invited")

    def handle(self, *_: Any, email: str | None, csv: str | None, **options: Any) -> None:
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            raise CommandError(f"There is no programme “{options['programme']}”.")
        if bool(email) == bool(csv):
            raise CommandError("Name one address, or a list with --csv.")
        try:
            if csv:
                self._invite_list(programme, csv, options)
            else:
                self._invite_one(programme, email or "", options)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal

    def _invite_one(self, programme: Programme, email: str, options: dict[str, Any]) -> None:
        try:
            invitation = invite_person(
                programme_id=programme.id,
                email=email,
                role=Role(options["role"]),
                cohort_id=_cohort(programme, options["cohort"]),
                language=options["language"],
            )
        except AlreadyInvited as invited:
            if not options["again"]:
                raise CommandError(f"{invited.sentence} (--again sends it again.)") from invited
            invitation = _again(invited)
        self.stdout.write(f"It opens once, within {LASTS.days} days, for {invitation.email}:")
        self.stdout.write(invitation_link(invitation))

    def _invite_list(self, programme: Programme, csv: str, options: dict[str, Any]) -> None:
        try:
            with Path(csv).open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except OSError as wrong:
            raise CommandError(f"{csv} cannot be read: {wrong.strerror}.") from wrong
        result = invite_many(
            actor=None,
            programme_id=programme.id,
            csv_bytes=raw,
            role=Role(options["role"]),
            cohort_id=_cohort(programme, options["cohort"]),
        )
        self.stdout.write(f"Invited: {len(result.invited)}.")
        for fault in result.faults:
            self.stdout.write(f"Line {fault.line} {fault.text}: {fault.sentence}")


def _again(invited: AlreadyInvited) -> Invitation:
    invitation_id = read_id("invitation", invited.facts["invitation"])
    assert invitation_id is not None
    try:
        return resend_invitation(invitation_id=invitation_id)
    except SentAMomentAgo as refusal:
        raise CommandError(refusal.sentence) from refusal


def _cohort(programme: Programme, name: str | None) -> Any:
    if name is None:
        return None
    found = cohorts_in(programme.id).filter(name__iexact=name).first()
    if found is None:
        raise CommandError(f"There is no cohort “{name}” in this programme.")
    return found.id
