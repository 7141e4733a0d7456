"""States of a job, the table of moves, and what a cancelled job costs."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import TextChoices

ATTEMPTS = 3
LEASE = timedelta(seconds=30)
HELD_FOR = timedelta(days=7)
# An order that a program sends again within this time is the order it sent before.
SENT_AGAIN = timedelta(minutes=10)
FOLDER = "jobs"
PREVIEW = "preview.webp"


class State(TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Move(StrEnum):
    CLAIM = "claim"
    FINISH = "finish"
    FAIL = "fail"
    RETRY = "retry"
    CANCEL = "cancel"
    HOLD = "hold"
    RESUME = "resume"


# The trigger generation_job_moves says the same; a house test compares them.
MOVES: dict[tuple[State, Move], State] = {
    (State.QUEUED, Move.CLAIM): State.RUNNING,
    (State.QUEUED, Move.CANCEL): State.CANCELLED,
    (State.QUEUED, Move.HOLD): State.HELD,
    (State.QUEUED, Move.FAIL): State.FAILED,
    (State.RUNNING, Move.FINISH): State.FINISHED,
    (State.RUNNING, Move.FAIL): State.FAILED,
    (State.RUNNING, Move.RETRY): State.QUEUED,
    (State.RUNNING, Move.CANCEL): State.CANCELLED,
    (State.RUNNING, Move.HOLD): State.HELD,
    (State.HELD, Move.RESUME): State.QUEUED,
    (State.HELD, Move.CANCEL): State.CANCELLED,
}

LIVE = (State.QUEUED, State.RUNNING, State.HELD)
OVER = (State.FINISHED, State.FAILED, State.CANCELLED)


def cost_when_cancelled(price: int, *, steps_done: int, steps: int) -> int:
    """⌊price × steps done ÷ steps⌋, in credits: rounded in the tester's favour."""
    return price * min(steps_done, steps) // steps


def may_try_again(attempts: int) -> bool:
    return attempts < ATTEMPTS


def lane_of(model_slug: str, tier: str) -> str:
    """The queue a job stands in: a worker takes only from lanes that its device serves."""
    return f"{model_slug}:{tier}"


def preview_key(job_id: UUID) -> str:
    """Where a running job's preview lies, below the media folder."""
    return f"{FOLDER}/{job_id}/{PREVIEW}"
