"""manage.py invite EMAIL --programme SLUG --role tester: prints a link that opens once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts.invitations.commands import invite_person
from accounts.invitations.rules import LASTS
from accounts.programmes.models import Programme, Role
from core.errors import Refusal


class Command(BaseCommand):
    help = "Invite somebody to a programme. The link stands on the last line and is kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--programme", required=True, metavar="SLUG")
        parser.add_argument("--role", choices=Role.values, default=Role.TESTER.value)

    def handle(self, *_: Any, email: str, programme: str, role: str, **__: Any) -> None:
        found = Programme.objects.filter(slug=programme).first()
        if found is None:
            raise CommandError(f"There is no programme “{programme}”.")
        try:
            _invitation, secret = invite_person(programme_id=found.id, email=email, role=Role(role))
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"It opens once, within {LASTS.days} days, for {email.strip().lower()}:")
        link = reverse("invitation-link", args=[secret])
        self.stdout.write(f"{settings.PUBLIC_ADDRESS}{link}")
