"""The messages that the demonstration kept, and who may read which.

An invitation carries a link that opens something, and so does a letter for a new password. So
managers read what is to their own programme's people and invitations into it; the rest, invitations
of administrators and links to somebody else's account above all, is for administrators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from accounts.credentials.queries import Actor
from accounts.post.models import Mail
from accounts.post.rules import MailKind
from accounts.programmes.models import Membership
from accounts.programmes.rules import ADMINISTRATOR
from core.errors import Absent
from core.ids import read_id

MOST_SHOWN = 200
_NAME = re.compile(r"[0-9a-z_]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class KeptLetter:
    name: str
    subject: str
    to: str
    reply_to: str
    at: datetime | None
    text: str
    html: str


def letters_kept(actor: Actor) -> list[KeptLetter]:
    """The newest that the actor may read, newest first."""
    found = {path.stem: path for path in Path(settings.MAIL_FOLDER).glob("*.eml")}
    files = [(found[name].stat().st_mtime_ns, found[name]) for name in _readable(actor, found)]
    newest = sorted(files, reverse=True)[:MOST_SHOWN]
    return [_read(path) for _age, path in newest]


def letter_kept(actor: Actor, name: str) -> KeptLetter:
    """Raises ``Absent`` where none of this name was kept that the actor may read."""
    path = Path(settings.MAIL_FOLDER) / f"{name}.eml"
    if not _NAME.match(name) or not path.is_file() or not _readable(actor, [name]):
        raise Absent
    return _read(path)


def _readable(actor: Actor, names: Iterable[str]) -> set[str]:
    if ADMINISTRATOR in actor.roles:
        return set(names)
    if actor.programme_id is None:
        return set()
    ids = {read_id("mail", name): name for name in names}
    members = Membership.objects.filter(programme_id=actor.programme_id, ended_at=None)
    theirs = Mail.objects.filter(
        Q(invitation__programme_id=actor.programme_id) & ~Q(invitation__role=ADMINISTRATOR)
        | Q(party_id__in=members.values("party_id")) & ~Q(kind=MailKind.PASSWORD),
        id__in=[mail_id for mail_id in ids if mail_id],
    )
    return {ids[mail_id] for mail_id in theirs.values_list("id", flat=True)}


def _read(path: Path) -> KeptLetter:
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return KeptLetter(
        name=path.stem,
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        reply_to=str(message["Reply-To"] or ""),
        at=parsedate_to_datetime(message["Date"]) if message["Date"] else None,
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if isinstance(body, EmailMessage) else ""
