"""States of a payout and the digest of its instruction."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from uuid import UUID

from django.db.models import TextChoices


class State(TextChoices):
    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"
    CANCELLED = "cancelled"


class Move(StrEnum):
    APPROVE = "approve"
    PAY = "pay"
    CANCEL = "cancel"


# The trigger payout_law says the same.
MOVES: dict[tuple[State, Move], State] = {
    (State.PROPOSED, Move.APPROVE): State.APPROVED,
    (State.PROPOSED, Move.CANCEL): State.CANCELLED,
    (State.APPROVED, Move.PAY): State.PAID,
    (State.APPROVED, Move.CANCEL): State.CANCELLED,
}


OPEN = (State.PROPOSED, State.APPROVED)


def instruction_sha256(payout_id: UUID, party_id: UUID, amount_micro: int, currency: str) -> str:
    """What an approval is about. The database computes the same and refuses another."""
    text = f"{payout_id}|{party_id}|{amount_micro}|{currency}"
    return hashlib.sha256(text.encode()).hexdigest()
