"""Money in micro-units: integers of 10⁻⁶ of the currency's unit, never a float.

Rounded only where money leaves the house (a payout line); inside, parts sum exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MICRO = 1_000_000


class CurrencyMismatch(TypeError):
    pass


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency (ISO 4217 code). Adding two currencies raises."""

    amount_micro: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_micro + other.amount_micro, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_micro - other.amount_micro, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_micro, self.currency)

    def __str__(self) -> str:
        return f"{Decimal(self.amount_micro) / MICRO:f} {self.currency}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")


def split(amount: int, weights: list[int]) -> list[int]:
    """Divide ``amount`` by ``weights`` into integers that sum to it exactly (largest remainder).

    Ties go to the earlier part, so the same input always gives the same parts.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    parts = [amount * weight // total for weight in weights]
    rest = amount - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for index in by_remainder[:rest]:
        parts[index] += 1
    return parts
