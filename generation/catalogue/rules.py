"""What a clip of a model may be, and what it costs: pure functions on values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from core.errors import InvalidOrder
from generation.engines.limits import FrameRule
from generation.engines.order import OrderRefused


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a price table to be: what the file is, how it is made, what a second costs."""

    tier: str
    width: int
    height: int
    steps: int
    credits_per_second: int


_WORD = re.compile(r"[^\W\d_]+")


class TerritoryExcluded(InvalidOrder):
    """The licence of a model does not hold where this house, or somebody, is."""

    code = "territory_excluded"

    def __init__(self, sentence: str) -> None:
        super().__init__(self.code, sentence, field="model")


def must_hold_in(territory: str, licence: str, excluded: Sequence[str]) -> None:
    """``territory`` is where this house is run, two letters, or empty where it does not say.

    Raises ``TerritoryExcluded`` where the licence grants nothing there, or nobody can know.
    """
    if not excluded:
        return
    if not territory:
        raise TerritoryExcluded(
            _(
                "The licence %(licence)s does not hold everywhere, and this house does not say"
                " where it is run (GREENROOM_TERRITORY)."
            )
            % {"licence": licence}
        )
    if territory in excluded:
        raise TerritoryExcluded(
            _("The licence %(licence)s does not hold in %(territory)s, where this house is run.")
            % {"licence": licence, "territory": territory}
        )


def unknown_words(prompt: str, known: Sequence[str], further: Sequence[str] = ()) -> list[str]:
    """Words of a prompt that are none of these, each once, as they come. None for a model that
    says no words: it takes any. ``further`` are those that chosen styles bring."""
    if not known:
        return []
    learnt = {word for one in (*known, *further) for word in _WORD.findall(one.casefold())}
    written = dict.fromkeys(_WORD.findall(prompt.casefold()))
    return [word for word in written if word not in learnt]


def split_name(name: str) -> tuple[str, str | None]:
    """What an order calls a model: ``slug``, or ``slug@revision``."""
    slug, at, revision = name.partition("@")
    return slug, revision if at else None


def frames_for(rule: FrameRule, rate: Fraction, seconds: Fraction) -> int | None:
    """The frame count that a model can make nearest to this length; None outside its limits.

    A model would round in silence, and the length, the price and the record would differ. Two
    seconds of a model that makes 16k + 1 frames are 17 at 8 a second, also where 17 is the least.
    """
    asked = int((2 * seconds * rate + 1) // 2)
    if rule.minimum - rule.offset <= asked < rule.minimum:
        asked = rule.minimum
    try:
        return rule.snap(asked)
    except OrderRefused:
        return None


def lengths_offered(rule: FrameRule, rate: Fraction) -> list[Fraction]:
    """Whole seconds for a list to choose from, or the shortest clip where none fits."""
    whole = [Fraction(s) for s in range(1, 61) if frames_for(rule, rate, Fraction(s)) is not None]
    return whole or [Fraction(rule.minimum) / rate]


def price(*, frames: int, rate: Fraction, credits_per_second: int) -> int:
    """Whole credits for this many frames, rounded up, at least one. Price shown = price charged."""
    exact = Fraction(frames) / rate * credits_per_second
    return max(1, -(-exact.numerator // exact.denominator))
