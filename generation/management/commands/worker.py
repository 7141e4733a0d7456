"""``manage.py worker …``: machines elsewhere that render, and with what they bring their files."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.errors import Refusal
from generation.machines.commands import admit_machine, revoke_worker_credential
from generation.machines.models import WorkerCredential
from generation.machines.queries import worker_credentials
from generation.worker.carrying import is_carried, why_not_welcome
from generation.worker.identity import this_worker


class Command(HouseCommand):
    help = "Workers on other machines: admit a machine, list and revoke its credentials, try one."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        admit = deeds.add_parser("admit", help="a credential for a machine, shown this once")
        admit.add_argument("machine", help="the first 24 signs of its host name (uname -n)")
        deeds.add_parser("list", help="every credential, with its last use")
        revoke = deeds.add_parser("revoke", help="from the next file on it opens nothing")
        revoke.add_argument("key", help="its twelve signs, as “list” shows them")
        deeds.add_parser("try", help="on the worker's machine: whether the web takes its files")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        try:
            match deed:
                case "admit":
                    self._admit(options["machine"])
                case "list":
                    self._list()
                case "revoke":
                    revoke_worker_credential(credential=_found(options["key"]))
                case "try":
                    self._try()
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.code})") from refusal

    def _admit(self, machine: str) -> None:
        credential, text = admit_machine(machine=machine)
        self.stdout.write(f"It counts for {credential.machine} until it is revoked.")
        self.stdout.write(text)

    def _list(self) -> None:
        for one in worker_credentials():
            used = f"{one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never"
            state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "counts"
            self.stdout.write(
                f"{one.machine}  {one.key_id}  {state}  made {one.made_at:%Y-%m-%d}"
                f"  last used {used}  pepper {one.pepper_id}"
            )

    def _try(self) -> None:
        machine = this_worker().host
        if not is_carried():
            raise CommandError("GREENROOM_FILES_ADDRESS is not set: files are not sent anywhere.")
        told = why_not_welcome(machine)
        if told:
            raise CommandError(told)
        self.stdout.write(f"The web takes files of {machine}.")


def _found(key: str) -> WorkerCredential:
    found = WorkerCredential.objects.filter(key_id=key).first()
    if found is None:
        raise CommandError(f"No worker credential is called {key}. manage.py worker list")
    return found
