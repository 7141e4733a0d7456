from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts.quotas.models import Budget, Kind, Reservation


@dataclass(frozen=True, slots=True)
class Left:
    """What a party may still use: its own figures, and the smallest rest on the whole path."""

    limit: int
    reserved: int
    spent: int
    left: int


def quota_of(*, programme_id: UUID, party_id: UUID, lineage_id: UUID, kind: Kind) -> Left:
    """One query. A party without a budget of its own has nothing."""
    path = list(
        Budget.objects.filter(programme_id=programme_id, kind=kind)
        .filter(Q(party_id=None) | Q(party_id=party_id))
        .filter(Q(lineage_id=None) | Q(lineage_id=lineage_id))
    )
    own = next((row for row in path if row.party_id and not row.lineage_id), None)
    if own is None or not any(row.party_id is None for row in path):
        return Left(0, 0, 0, 0)
    return Left(own.limit, own.reserved, own.spent, min(row.left for row in path))


def programme_budget(programme_id: UUID, kind: Kind) -> Left:
    """The programme's own figures, zeros where it was granted nothing yet."""
    own = Budget.objects.filter(
        programme_id=programme_id, kind=kind, party=None, lineage_id=None
    ).first()
    return Left(own.limit, own.reserved, own.spent, own.left) if own else Left(0, 0, 0, 0)


def credits_of(programme_id: UUID, party_id: UUID) -> Left:
    """A member's own figures, zeros where they were granted nothing yet."""
    own = Budget.objects.filter(
        programme_id=programme_id, kind=Kind.CREDITS, party_id=party_id, lineage_id=None
    ).first()
    return Left(own.limit, own.reserved, own.spent, own.left) if own else Left(0, 0, 0, 0)


def reservations_of(party_id: UUID, programme_id: UUID) -> Any:
    return Reservation.objects.filter(party_id=party_id, programme_id=programme_id).order_by(
        "-made_at", "-id"
    )


def discrepancies() -> list[tuple[UUID, int, int, int, int]]:
    """Budgets whose sums differ from their reservations: id, reserved, held, spent, settled.

    The proof of the house: it is empty, always.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.id, b.reserved, coalesce(r.held, 0), b.spent, coalesce(r.settled, 0)
            FROM accounts_budget b LEFT JOIN (
                SELECT place, sum(amount) FILTER (WHERE state = 'held') AS held,
                       sum(settled) FILTER (WHERE state <> 'held') AS settled
                FROM accounts_reservation, unnest(path) AS place GROUP BY place
            ) r ON r.place = b.id
            WHERE b.reserved <> coalesce(r.held, 0) OR b.spent <> coalesce(r.settled, 0)
            """
        )
        return [
            (budget, int(reserved), int(held), int(spent), int(settled))
            for budget, reserved, held, spent, settled in cursor.fetchall()
        ]
