from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.rates.models import Rate
from accounts.rates.rules import ActKind


@dataclass(frozen=True, slots=True)
class RateLine:
    """One kind of act: the rate in force, None where nothing is paid, and those to come."""

    kind: ActKind
    in_force: Rate | None
    later: list[Rate]


def rate_in_force(programme_id: UUID, kind: ActKind | str, at: datetime) -> Rate | None:
    """The rate that began to apply last. None before the first."""
    return (
        Rate.objects.filter(programme_id=programme_id, kind=kind, applies_from__lte=at)
        .order_by("-applies_from")
        .first()
    )


def rate_card(programme_id: UUID, at: datetime) -> list[RateLine]:
    """Every kind of act with its rates, in the order of ``ActKind``. One query."""
    begun = Rate.objects.filter(programme_id=programme_id, applies_from__lte=at)
    newest = begun.order_by("kind", "-applies_from").distinct("kind").values("id")
    rates = list(
        Rate.objects.filter(programme_id=programme_id)
        .filter(Q(id__in=newest) | Q(applies_from__gt=at))
        .order_by("applies_from")
    )
    return [_line(kind, [rate for rate in rates if rate.kind == kind], at) for kind in ActKind]


def rates_of(programme_id: UUID) -> QuerySet[Rate]:
    """All that were ever published, kind by kind, the newest first."""
    return Rate.objects.filter(programme_id=programme_id).order_by("kind", "-applies_from")


def _line(kind: ActKind, rates: list[Rate], at: datetime) -> RateLine:
    in_force = next((rate for rate in rates if rate.applies_from <= at), None)
    return RateLine(kind, in_force, [rate for rate in rates if rate.applies_from > at])
