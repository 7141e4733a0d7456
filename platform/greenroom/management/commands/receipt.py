"""manage.py receipt verify FILE: whether this installation signed it, and its texts are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.seal.queries import is_signed_here
from core.seal.rules import false_hashes, read_signed


class Command(HouseCommand):
    help = "Verify a receipt. Without this installation: docs/verify_receipt.py."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        verify = deeds.add_parser("verify", help="Check signature and hashes of a receipt.")
        verify.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            document = read_signed(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise CommandError(f"{file} cannot be read: {fault}") from fault
        if not is_signed_here(document):
            raise CommandError("Not verified: no key of this installation signed exactly this.")
        wrong = list(false_hashes(document))
        if wrong:
            raise CommandError(f"Not verified: the hash beside {', '.join(wrong)} is another.")
        # What happened and when, as each kind of receipt has it.
        act = document.get("act", {"act": "asked", "at": document.get("asked_at", "")})
        self.stdout.write(
            f"Verified: {document.get('kind')}, signed with key"
            f" {document['signature']['key_id']}; {document.get('party')}"
            f" {act['act']} at {act['at']}"
        )
