"""manage.py token make EMAIL --programme SLUG: a token for somebody who works by programs alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.credentials.commands import issue_token
from accounts.credentials.rules import TOKEN_SCOPES, USUAL_LIFE_DAYS
from accounts.people.models import Person
from accounts.programmes.models import Programme
from accounts.programmes.queries import membership_of
from core.command_line import HouseCommand
from core.errors import Refusal


class Command(HouseCommand):
    help = "Make a token of a member. It stands on the last line, this once, and is kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["make"])
        parser.add_argument("email")
        parser.add_argument("--programme", required=True, metavar="SLUG")
        parser.add_argument("--name", default="made at the machine")
        parser.add_argument("--days", type=int, default=USUAL_LIFE_DAYS)
        parser.add_argument("--scope", action="append", metavar="SCOPE", help="all, where none is")

    def handle(self, *_: Any, email: str, programme: str, **options: Any) -> None:
        person = Person.objects.filter(email=email.strip().lower()).first()
        found = Programme.objects.filter(slug=programme).first()
        if person is None or found is None or membership_of(found.id, person.party_id) is None:
            raise CommandError("Nobody of this address is a member of such a programme.")
        try:
            text = issue_token(
                party_id=person.party_id,
                programme_id=found.id,
                name=options["name"],
                scopes=sorted(options["scope"] or TOKEN_SCOPES),
                days=options["days"],
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"It counts for {options['days']} days.")
        self.stdout.write(text)
