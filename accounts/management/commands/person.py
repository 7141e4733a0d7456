"""manage.py person close|open|new-password EMAIL."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.credentials.rules import random_base62
from accounts.entrance.commands import change_password, close_account, open_account
from accounts.people.models import Person

PASSWORD_SIGNS = 20


class Command(BaseCommand):
    help = "Close or open an account, or give it a new password where no mail can be sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=("close", "open", "new-password"))
        parser.add_argument("email")

    def handle(self, *_: Any, deed: str, email: str, **__: Any) -> None:
        person = Person.objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError("Nobody here has this address.")
        if deed == "close":
            close_account(person=person)
            self.stdout.write("Closed: signed out everywhere, and no token of theirs works.")
        elif deed == "open":
            open_account(person=person)
            self.stdout.write("Open again.")
        else:
            password = random_base62(PASSWORD_SIGNS)
            change_password(person=person, password=password, keep=None)
            self.stdout.write("Signed out everywhere. The new password, shown this once:")
            self.stdout.write(password)
