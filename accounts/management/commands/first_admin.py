"""manage.py first_admin EMAIL: a one-time link for the first administrator of an installation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.invitations.commands import invite_first_administrator
from accounts.invitations.queries import invitation_link
from accounts.invitations.rules import LASTS
from core.command_line import HouseCommand
from core.errors import Refusal


class Command(HouseCommand):
    help = (
        "Make the one-time link of the first administrator. Run again before it is taken, an"
        " earlier link opens no more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        try:
            invitation = invite_first_administrator(email=email)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"It opens once, within {LASTS.days} days, for {invitation.email}:")
        self.stdout.write(invitation_link(invitation))
