"""manage.py person make|close|open|new-password|mail-password|erase EMAIL."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.urls import reverse

from accounts.agreements.commands import answer_agreement
from accounts.agreements.models import Acceptance
from accounts.agreements.queries import agreement_in_force
from accounts.arrivals.commands import seat_person
from accounts.credentials.rules import random_base62
from accounts.entrance.commands import (
    ask_password_letter,
    change_password,
    close_account,
    make_person,
    open_account,
)
from accounts.erasures.rules import done_by
from accounts.people.models import Person
from accounts.programmes.models import Programme, Role
from core.command_line import HouseCommand
from core.errors import Refusal
from greenroom.erasures.commands import ask_erasure
from greenroom.erasures.rules import Releases

PASSWORD_SIGNS = 20
DEEDS = ("make", "close", "open", "new-password", "mail-password", "erase")


class Command(HouseCommand):
    help = (
        "Make somebody a member without a letter, close or open an account, give it a new"
        " password or mail a link to one, or erase a person for good."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=DEEDS)
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="make: what others see")
        parser.add_argument("--programme", metavar="SLUG", help="make: where they get a seat")
        parser.add_argument("--role", choices=Role.values, default=Role.TESTER.value)
        parser.add_argument(
            "--nameless",
            action="store_true",
            help="erase: released clips stay to be seen, without a name",
        )
        parser.add_argument(
            "--accepted", action="store_true", help="make: they signed the agreement on paper"
        )

    def handle(self, *_: Any, deed: str, email: str, **options: Any) -> None:
        try:
            if deed == "make":
                self._make(email, options)
            elif deed == "erase":
                self._erase(email, is_nameless=options["nameless"])
            else:
                self._change(deed, email)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal

    def _make(self, email: str, options: dict[str, Any]) -> None:
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            raise CommandError("Name a programme that is there: --programme SLUG.")
        password = random_base62(PASSWORD_SIGNS)
        with transaction.atomic():
            person = make_person(email=email, password=password, display_name=options["name"])
            seat_person(
                programme_id=programme.id, party_id=person.party_id, role=Role(options["role"])
            )
            if options["accepted"]:
                _accept(programme, person)
        self.stdout.write(f"{person.email} is a {options['role']} of {programme.name}.")
        self.stdout.write("The password, shown this once:")
        self.stdout.write(password)

    def _change(self, deed: str, email: str) -> None:
        person = _person(email)
        if deed == "close":
            close_account(person=person)
            self.stdout.write("Closed: signed out everywhere, and no token of theirs works.")
        elif deed == "open":
            open_account(person=person)
            self.stdout.write("Open again.")
        elif deed == "mail-password":
            if not ask_password_letter(person=person):
                raise CommandError("Three letters went there within an hour; try new-password.")
            self.stdout.write("A letter is on its way; its link opens once, within half an hour.")
        else:
            password = random_base62(PASSWORD_SIGNS)
            change_password(person=person, password=password, keep=None)
            self.stdout.write("Signed out everywhere. The new password, shown this once:")
            self.stdout.write(password)

    def _erase(self, email: str, *, is_nameless: bool) -> None:
        erasure, secret = ask_erasure(
            party_id=_person(email).party_id,
            address=email,
            releases=Releases.NAMELESS if is_nameless else Releases.TAKEN_DOWN,
        )
        if erasure.done_at:
            self.stdout.write("Erased. Nothing points to this person any more.")
        else:
            self.stdout.write("Closed. A payout is on its way: the name goes when it is settled,")
            self.stdout.write(f"at the latest on {done_by(erasure.asked_at):%Y-%m-%d}.")
        self.stdout.write("The receipt, for them; its link is shown this once:")
        self.stdout.write(f"{settings.PUBLIC_ADDRESS}{reverse('erasure', args=[secret])}")


def _person(email: str) -> Person:
    person = Person.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise CommandError("Nobody here has this address.")
    return person


def _accept(programme: Programme, person: Person) -> None:
    version = agreement_in_force(programme.id)
    if version is None:
        raise CommandError("The programme has no agreement yet. Nothing was done.")
    answer_agreement(
        programme_id=programme.id,
        party_id=person.party_id,
        number=version.number,
        act=Acceptance.Act.ACCEPTED,
        credential_id=None,
    )
