"""What may be decided, and what each outcome must come with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from review.submissions.rules import Move

TAKE_BACK = timedelta(seconds=10)
SHORTEST_REASON = 20
LONGEST_TEXT = 4000


class Outcome(TextChoices):
    APPROVED = "approved", _("Approve")
    DECLINED = "declined", _("Decline")
    CHANGES_REQUESTED = "changes_requested", _("Ask for changes")


MOVE_OF: dict[Outcome, Move] = {
    Outcome.APPROVED: Move.APPROVE,
    Outcome.DECLINED: Move.DECLINE,
    Outcome.CHANGES_REQUESTED: Move.ASK_FOR_CHANGES,
}


class Reversal(TextChoices):
    """Why an appeal overturned the first decision."""

    POLICY_MISREAD = "policy_misread", _("The clause was misread")
    FACT_WRONG = "fact_wrong", _("What was seen is not what is there")
    NEW_EVIDENCE = "new_evidence", _("The appeal showed something new")


def outcomes_of(round_: int) -> tuple[Outcome, ...]:
    """An appeal is upheld or overturned; only the first round can ask for changes."""
    if round_ == 1:
        return (Outcome.APPROVED, Outcome.DECLINED, Outcome.CHANGES_REQUESTED)
    return (Outcome.APPROVED, Outcome.DECLINED)


def verdict_mark(said: Sequence[object], pressed_at: datetime) -> str:
    """What tells one pending verdict from every other: its content and the moment it was pressed.

    Taken back and pressed again it is another one, so no counter of the row would do.
    """
    whole = json.dumps([*said, pressed_at.isoformat()], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def appeal_closes(decided_at: datetime, open_days: int) -> datetime:
    """Until when a decision can be appealed; a day has 24 hours, whatever the clocks do."""
    return decided_at + timedelta(hours=24 * open_days)
