"""What the kind defaults of a programme come to, in figures, before they are published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.programmes.models import Programme
from accounts.programmes.queries import particulars_in_force
from accounts.rates.queries import rate_card
from accounts.rates.rules import ActKind
from accounts.rates.words import KIND_WORDS
from core.clock import now
from core.money import Money, places_of, shown_money
from greenroom.setup import defaults
from greenroom.setup.history import week_words
from greenroom.setup.rules import StepCode
from greenroom.setup.words import days_words

Facts = list[tuple[Any, str]]


@dataclass(frozen=True, slots=True)
class Usual:
    """What the defaults of this programme depend on: ``rates`` are those of kinds that have none
    in force yet, which alone would be published."""

    rates: dict[ActKind, Money]
    credits_per_tester: int


def usual_of(programme: Programme) -> Usual:
    begun = {line.kind for line in rate_card(programme.id, now()) if line.in_force}
    particulars = particulars_in_force(programme.id)
    return Usual(
        rates={
            kind: Money(amount_micro, programme.currency)
            for kind, amount_micro in defaults.rates(programme.currency).items()
            if kind not in begun
        },
        credits_per_tester=particulars.credits_per_tester if particulars else 0,
    )


def usual_words(code: str, usual: Usual) -> Facts:
    """Label and figure of what would be published; empty where its title says it all."""
    told = _TOLD.get(StepCode(code))
    return told(usual) if told else []


def _rates(usual: Usual) -> Facts:
    places = places_of(usual.rates.values())
    return [(KIND_WORDS[kind], shown_money(money, places)) for kind, money in usual.rates.items()]


def _credits(usual: Usual) -> Facts:
    """The first with the sum that it comes from."""
    each, testers = _counted(usual.credits_per_tester), _counted(defaults.TESTERS)
    together = _counted(defaults.TESTERS * usual.credits_per_tester)
    return [
        (_("Credits of the whole programme"), f"{together} = {testers} × {each}"),
        (_("Credits of a new tester"), each),
    ]


def _calendar(_usual: Usual) -> Facts:
    return [(_("Working hours"), week_words(defaults.WEEK))]


def _consents(_usual: Usual) -> Facts:
    return [(_("Four consents"), _("None is asked for."))]


def _charter(_usual: Usual) -> Facts:
    return [
        (_("Hours until a clip is decided"), _counted(defaults.DECIDE_WITHIN_HOURS)),
        (_("Hours until an appeal is decided"), _counted(defaults.APPEAL_WITHIN_HOURS)),
        (_("Days in which one may appeal"), _counted(defaults.APPEAL_OPEN_DAYS)),
    ]


def _retention(_usual: Usual) -> Facts:
    kept = defaults.RETENTION
    return [
        (_("A draft is kept"), days_words(kept.draft_days)),
        (_("An unreleased clip is kept"), days_words(kept.unreleased_days)),
        (_("A released clip is kept"), days_words(kept.released_days)),
    ]


def _counted(number: int) -> str:
    return formats.number_format(number, force_grouping=True)


_TOLD: dict[StepCode, Callable[[Usual], Facts]] = {
    StepCode.CALENDAR: _calendar,
    StepCode.CONSENTS: _consents,
    StepCode.CHARTER: _charter,
    StepCode.RATES: _rates,
    StepCode.CREDITS: _credits,
    StepCode.RETENTION: _retention,
}
