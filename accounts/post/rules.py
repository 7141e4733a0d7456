"""What somebody hears of by mail, how often sending is tried, and when a digest is due: quiet by
default, loud only where something is at stake."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.notices.rules import Topic


class MailKind(TextChoices):
    INVITATION = "invitation"
    NOTICE = "notice"
    DIGEST = "digest"
    PASSWORD = "password"  # noqa: S105  (the kind of a letter)


class State(TextChoices):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # tried for three days, or the server will not have it
    BOUNCED = "bounced"  # the reader's server said no for good
    DROPPED = "dropped"  # nobody to send it to any more, or nothing left to say


class Move(StrEnum):
    SEND = "send"
    GIVE_UP = "give_up"
    BOUNCE = "bounce"
    DROP = "drop"


# The trigger mail_law says the same.
MOVES: dict[tuple[State, Move], State] = {
    (State.WAITING, Move.SEND): State.SENT,
    (State.WAITING, Move.GIVE_UP): State.FAILED,
    (State.WAITING, Move.BOUNCE): State.BOUNCED,
    (State.WAITING, Move.DROP): State.DROPPED,
    # A server that took it may still report later that it could not deliver.
    (State.SENT, Move.BOUNCE): State.BOUNCED,
}


class Way(TextChoices):
    """How far a notice comes to its reader; every one stands in the inbox."""

    INBOX = "inbox", _("Inbox only")
    DIGEST = "digest", _("One mail a day")
    MAIL = "mail", _("Mail at once")


USUAL: dict[Topic, Way] = {
    Topic.CLIPS: Way.INBOX,
    Topic.REVIEW: Way.MAIL,
    Topic.CREDITS: Way.DIGEST,
    Topic.PAY: Way.MAIL,
    Topic.TALK: Way.MAIL,
    Topic.NEWS: Way.DIGEST,
    Topic.DESK: Way.DIGEST,
    Topic.ACCESS: Way.MAIL,
    Topic.TERMS: Way.MAIL,
}
# Something opens, ends or is deleted unless the reader acts: nobody can turn these down.
ALWAYS_MAILED = frozenset({Topic.ACCESS, Topic.TERMS})

TRIED_FOR = timedelta(days=3)
PAUSES = [timedelta(minutes=each) for each in (1, 5, 15, 30, 60)]
# Longer than the slowest server can keep one message: each answer of it is waited for in vain.
LEASE = timedelta(minutes=5)

DIGEST_AT = time(8)
DIGEST_LOOKS_BACK = timedelta(days=7)

SERVER_AWAY = "server_away"

# RFC 3463: class, subject, detail. A subject of 1 is the address, 2 the mailbox, 4 the way there;
# 3, 5, 6 and 7 are about systems, protocol, content and policy, and say nothing about the reader.
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.\d{1,3}\b")
ABOUT_THE_ADDRESS = frozenset({"0", "1", "2", "4"})


def pause_after(attempts: int) -> timedelta:
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def says_nobody_there(code: int, words: str) -> bool:
    """Whether a server's answer to a recipient means that mail to them will never arrive."""
    if not 500 <= code < 600:
        return False
    enhanced = _ENHANCED.search(words)
    if enhanced is None:
        return True
    return enhanced[1] == "5" and enhanced[2] in ABOUT_THE_ADDRESS


def status_says_nobody_there(status: str) -> bool:
    """The same of the ``Status`` field of a delivery report (RFC 3464), like ``5.1.1``."""
    found = _ENHANCED.match(status.strip())
    return found is not None and found[1] == "5" and found[2] in ABOUT_THE_ADDRESS


def digest_of(moment: datetime, zone: str) -> tuple[date, datetime] | None:
    """The day of the digest that is due at this moment in this zone, and until when it looks.

    None before eight in the morning.
    """
    here = moment.astimezone(ZoneInfo(zone))
    eight = here.replace(hour=DIGEST_AT.hour, minute=0, second=0, microsecond=0, fold=0)
    return (here.date(), eight) if here >= eight else None
