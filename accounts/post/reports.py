"""Delivery reports (RFC 3464): which of our mails did not arrive, for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from uuid import UUID

from accounts.post.rules import status_says_nobody_there
from core.ids import read_id

LARGEST_REPORT = 1024 * 1024
_OURS = re.compile(r"<(mai_[0-9a-z]{26})@([^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Report:
    """``mail_id`` is None where no mail of ours is named. ``status`` is like ``5.1.1``, and empty
    where the report tells of no final failure of an address."""

    mail_id: UUID | None
    status: str


def read_report(raw: bytes, *, host: str) -> Report:
    """``host`` is the right side of our Message-IDs. Never raises, whatever came in."""
    message = message_from_bytes(raw[:LARGEST_REPORT])
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return Report(None, "")
    return Report(_mail_of(message, host), _failure_of(message))


def _failure_of(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for recipient in _blocks(part):
            status = str(recipient.get("Status", "")).strip().split(" ")[0]
            is_final = str(recipient.get("Action", "")).strip().lower() == "failed"
            if is_final and status_says_nobody_there(status):
                return status[:16]
    return ""


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if payload else []


def _mail_of(message: Message, host: str) -> UUID | None:
    """From the returned message, or its returned headers; other parts may quote anything."""
    for part in message.walk():
        if part is message:
            continue
        said = str(part.get("Message-ID", ""))
        if part.get_content_type() == "text/rfc822-headers":
            said = str(part.get_payload())
        for shown_id, where in _OURS.findall(said):
            if where.lower() == host.lower():
                return read_id("mail", shown_id)
    return None
