"""What a clip of a model may be, and what it costs: pure functions on values."""

from __future__ import annotations

from fractions import Fraction

from generation.engines.limits import FrameRule
from generation.engines.order import OrderRefused


def frames_for(rule: FrameRule, rate: Fraction, seconds: Fraction) -> int | None:
    """The frame count that a model can make nearest to this length; None outside its limits.

    A model would round in silence, and the length, the price and the record would differ.
    """
    try:
        return rule.snap(int((2 * seconds * rate + 1) // 2))
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
