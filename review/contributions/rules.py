"""What testers contribute beside clips, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

SHORTEST_ANSWER = 20
LONGEST_TITLE = 120
LONGEST_TEXT = 8000


class Kind(TextChoices):
    """Each is payable; the values are those of ``accounts.rates.rules.ActKind``."""

    BUG_REPORT = "bug_report", _("Bug report")
    FEEDBACK = "feedback", _("Feedback")
    RED_TEAM_FINDING = "red_team_finding", _("Red-team finding")


class State(TextChoices):
    FILED = "filed"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Move(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"


# The trigger contribution_law says the same.
MOVES: dict[tuple[State, Move], State] = {
    (State.FILED, Move.ACCEPT): State.ACCEPTED,
    (State.FILED, Move.DECLINE): State.DECLINED,
}


class DeclineReason(TextChoices):
    """That it criticises the programme is not on the list."""

    DUPLICATE = "duplicate", _("It was reported before")
    NOT_REPRODUCED = "not_reproduced", _("It could not be reproduced")
    NOT_ABOUT_THIS = "not_about_this", _("It is not about this programme or its models")
    TOO_LITTLE = "too_little", _("It says too little to act on")


@dataclass(frozen=True, slots=True)
class Wish:
    """A contribution as its maker writes it.

    ``clip`` is the public id of a clip of their own, None for the programme as a whole; frames
    count from 0, and a first one alone means just that frame.
    """

    kind: str
    title: str
    words: str
    clip: str | None = None
    frame_from: int | None = None
    frame_to: int | None = None
