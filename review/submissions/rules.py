"""States of a case, the table of moves, leases and the reasons for handing one back."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(minutes=10)
LEASES_AT_ONCE = 3
SKIPS_BEFORE_ESCALATION = 3


class CaseKind(TextChoices):
    RELEASE = "release"
    APPEAL = "appeal"


class State(TextChoices):
    QUEUED = "queued"
    CLAIMED = "claimed"
    APPROVED = "approved"
    DECLINED = "declined"
    CHANGES_REQUESTED = "changes_requested"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    CLAIM = "claim"
    RETURN = "return"
    APPROVE = "approve"
    DECLINE = "decline"
    ASK_FOR_CHANGES = "ask_for_changes"
    WITHDRAW = "withdraw"


# The trigger case_law says the same; a law test compares them.
MOVES: dict[tuple[State, Move], State] = {
    (State.QUEUED, Move.CLAIM): State.CLAIMED,
    (State.QUEUED, Move.WITHDRAW): State.WITHDRAWN,
    (State.CLAIMED, Move.RETURN): State.QUEUED,
    (State.CLAIMED, Move.APPROVE): State.APPROVED,
    (State.CLAIMED, Move.DECLINE): State.DECLINED,
    (State.CLAIMED, Move.ASK_FOR_CHANGES): State.CHANGES_REQUESTED,
    (State.CLAIMED, Move.WITHDRAW): State.WITHDRAWN,
}

OPEN = (State.QUEUED, State.CLAIMED)
CLOSED = (State.APPROVED, State.DECLINED, State.CHANGES_REQUESTED, State.WITHDRAWN)


class SkipReason(TextChoices):
    """Why a reviewer hands a case back. "Other" is no reason and is not on the list."""

    CONFLICT = "conflict", _("I know whoever made it, or took part in it")
    UNSURE = "unsure", _("I cannot judge this one")
    DISTRESSING = "distressing", _("I would rather not look at this")
    PLAYBACK = "playback", _("It does not play for me")
    BREAK = "break", _("I have to stop here")


def due_time(opened_at: datetime, hours: int) -> datetime:
    """When the charter's hours, counted round the clock, are over."""
    return opened_at + timedelta(hours=hours)
