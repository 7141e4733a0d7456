from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.clock import in_utc
from core.money import Money


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


def rates_of(programme_id: UUID, kind: ActKind | None = None) -> QuerySet[Rate]:
    """All that were ever published, or all of a kind, kind by kind, the newest first."""
    every = Rate.objects.filter(programme_id=programme_id)
    return (every.filter(kind=kind) if kind else every).order_by("kind", "-number")


def kinds_begun(programme_id: UUID, at: datetime) -> set[str]:
    """The kinds of which a rate applies, or was published for now by somebody who began later."""
    begun = Q(applies_from__lte=at) | Q(applies_from=F("published_at"))
    rates = Rate.objects.filter(begun, programme_id=programme_id)
    return set(rates.values_list("kind", flat=True))


def said_by_rate(rate: Rate) -> SimpleNamespace:
    """What a rate says, as ``FIELDS`` names it, to compare with another."""
    return SimpleNamespace(
        amount=str(Money(rate.amount_micro, rate.currency)),
        applies_from=in_utc(rate.applies_from),
        words=rate.words,
    )


def _line(kind: ActKind, rates: list[Rate], at: datetime) -> RateLine:
    in_force = next((rate for rate in rates if rate.applies_from <= at), None)
    return RateLine(kind, in_force, [rate for rate in rates if rate.applies_from > at])
