"""manage.py mail list|retry|test ADDRESS|bounced."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management.base import CommandError, CommandParser

from accounts.post.commands import bounce_mail, try_all_again
from accounts.post.letters import house_host
from accounts.post.outlet import Answer, Outlet
from accounts.post.queries import mail_in_state
from accounts.post.reports import LARGEST_REPORT, read_report
from accounts.post.rules import State
from core.command_line import HouseCommand
from core.ids import shown

LISTED = 100


class Command(HouseCommand):
    help = "Look at mail that waits or failed, try it again, or take in a delivery report."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        listing = deeds.add_parser("list", help="mail that waits, or ended in another state")
        listing.add_argument("--state", choices=State.values, default=State.WAITING.value)
        deeds.add_parser("retry", help="whatever waits is due at once")
        trial = deeds.add_parser("test", help="send a message, and say what the server answered")
        trial.add_argument("address")
        deeds.add_parser("bounced", help="a delivery report (RFC 3464) comes on standard input")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        if deed == "list":
            self._list(State(options["state"]))
        elif deed == "retry":
            self.stdout.write(f"{try_all_again()} mails are due now.")
        elif deed == "test":
            self._test(options["address"])
        else:
            self._bounced(sys.stdin.buffer.read(LARGEST_REPORT))

    def _list(self, state: State) -> None:
        found = mail_in_state(state)
        for mail in found[:LISTED]:
            words = [shown("mail", mail.id), mail.kind, f"{mail.attempts} tries"]
            if mail.state == State.WAITING:
                words.append(f"due {mail.due_at:%Y-%m-%d %H:%M} UTC")
            self.stdout.write("  ".join([*words, mail.failure]).rstrip())
        self.stdout.write(f"{found.count()} mails are {state.value}.")

    def _test(self, address: str) -> None:
        if not settings.MAIL_LEAVES:
            raise CommandError("No mail leaves the house: set GREENROOM_MAIL_URL.")
        letter = EmailMessage(
            subject="Greenroom can send mail",
            body=f"This is what you wanted to see.\n\n{settings.PUBLIC_ADDRESS}\n",
            to=[address],
        )
        with Outlet() as outlet:
            said = outlet.send(letter)
        if said.answer is not Answer.TAKEN:
            raise CommandError(f"It did not go: {said.failure}")
        self.stdout.write("It was taken.")

    def _bounced(self, raw: bytes) -> None:
        """A mail server pipes reports here: what is not understood is no reason to send it back."""
        report = read_report(raw, host=house_host())
        if report.mail_id is None:
            self.stdout.write("This is no report about a mail of ours. Nothing was changed.")
        elif not report.status:
            self.stdout.write("This is no final word about an address. Nothing was changed.")
        elif bounce_mail(mail_id=report.mail_id, failure=f"reported: {report.status}"):
            self.stdout.write("Written down: nothing more is mailed to this reader.")
        else:
            self.stdout.write("This was known already, or there is no such mail.")
