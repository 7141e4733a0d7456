"""The demonstration's mail: kept in a folder instead of sent, and readable in the portal."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_OURS = re.compile(r"<([0-9a-z_]{1,64})@[^<>\s]+>\Z")


class KeptMail(BaseEmailBackend):
    """Each message is one file of RFC 5322, named by its Message-ID: kept twice, it is there once,
    as in any mailbox."""

    def __init__(self, fail_silently: bool = False, **_options: Any) -> None:  # noqa: FBT001, FBT002
        super().__init__(fail_silently=fail_silently)
        self.folder = Path(settings.MAIL_FOLDER)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            self._keep(message.message())
        return len(email_messages)

    def _keep(self, message: Message) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self.folder / f"{_name_of(message)}.eml"
        # Whole before it has its name: whoever looks meanwhile sees no half of it.
        number, unfinished = tempfile.mkstemp(dir=self.folder, prefix=".")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(unfinished, place)
        finally:
            os.unlink(unfinished)  # noqa: PTH108


def forget_letters(addresses: Collection[str]) -> int:
    """Delete what was kept for somebody who is erased. How many; elsewhere nothing is kept."""
    folder, forgotten = Path(settings.MAIL_FOLDER), 0
    for letter in folder.glob("*.eml"):
        with suppress(FileNotFoundError):
            with letter.open("rb") as opened:
                head = BytesHeaderParser().parse(opened)
            readers = {address.lower() for _name, address in getaddresses(head.get_all("To", []))}
            if readers & set(addresses):
                letter.unlink()
                forgotten += 1
    return forgotten


def _name_of(message: Message) -> str:
    said = str(message["Message-ID"] or "")
    ours = _OURS.match(said)
    return ours[1] if ours else sha256(said.encode() or message.as_bytes()).hexdigest()[:32]
