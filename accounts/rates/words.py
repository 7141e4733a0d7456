"""Kinds of acts and their rates as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rates.models import Rate
from accounts.rates.queries import RateLine
from accounts.rates.rules import ActKind
from core.money import Money, shown_money

KIND_WORDS = {
    ActKind.RELEASE: gettext_lazy("Release of a clip"),
    ActKind.BUG_REPORT: gettext_lazy("Bug report"),
    ActKind.FEEDBACK: gettext_lazy("Feedback"),
    ActKind.RED_TEAM_FINDING: gettext_lazy("Red-team finding"),
}


@dataclass(frozen=True, slots=True)
class ShownRate:
    """``amount`` is a sentence where nothing is paid."""

    amount: str
    is_paid: bool
    applies_from: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class ShownRateLine:
    kind: str
    kind_words: Any
    now: ShownRate
    later: list[ShownRate]


def shown_rate(rate: Rate | None) -> ShownRate:
    if rate is None:
        return ShownRate(_("Nothing is paid."), False, None, "")
    is_paid = rate.amount_micro > 0
    amount = shown_money(Money(rate.amount_micro, rate.currency)) if is_paid else ""
    return ShownRate(amount or _("Nothing is paid."), is_paid, rate.applies_from, rate.words)


def shown_rate_card(card: list[RateLine]) -> list[ShownRateLine]:
    return [
        ShownRateLine(
            kind=line.kind.value,
            kind_words=KIND_WORDS[line.kind],
            now=shown_rate(line.in_force),
            later=[shown_rate(rate) for rate in line.later],
        )
        for line in card
    ]
