"""Money in micro-units: integers of 10⁻⁶ of the currency's unit, never a float.

Rounded only where money leaves the house (a payout line); inside, parts sum exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _

MICRO = 1_000_000
PLACES = 6
THOUSAND_DIGITS = 3
# A thousand million units. What is larger is a slip of the hand, and sums of it stay a bigint.
LARGEST_MICRO = 10**15

# ISO 4217: the number of decimals of a currency; two for all that are not named here. The SQL
# function currency_unit_micro says the same.
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
    *("VUV", "XAF", "XOF", "XPF"),
)
_DECIMALS = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_AMOUNT = re.compile(r"[0-9]{1,12}(?:([.,])([0-9]{1,6}))?\Z")


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


def decimals_of(currency: str) -> int:
    """How many decimals the currency's own amounts have (ISO 4217, minor units)."""
    return _DECIMALS.get(currency, 2)


def unit_micro(currency: str) -> int:
    """The smallest amount that can be transferred: 10 000 micro-units are a cent."""
    unit: int = 10 ** (PLACES - decimals_of(currency))
    return unit


def whole_units(money: Money) -> Money:
    """Rounded down to what can be transferred; never more than there is."""
    unit = unit_micro(money.currency)
    return Money(money.amount_micro // unit * unit, money.currency)


def read_money(text: str, currency: str) -> Money | None:
    """What somebody wrote: ``25``, ``25.00`` or ``25,00``, whichever their language has.

    Exact to the micro-unit. None for all else: a sign, grouped thousands, more decimals than six,
    more than ``LARGEST_MICRO``, and three decimals behind the sign that is not the language's own,
    which may be a thousand.
    """
    text = text.strip()
    written = _AMOUNT.match(text)
    if written is None:
        return None
    separator, decimals = written.groups()
    is_own = separator == formats.get_format("DECIMAL_SEPARATOR")
    if separator and not is_own and len(decimals) == THOUSAND_DIGITS:
        return None
    amount_micro = int(Decimal(text.replace(",", ".")).scaleb(PLACES))
    return Money(amount_micro, currency) if amount_micro <= LARGEST_MICRO else None


def amount_words() -> str:
    """What to write where ``read_money`` could not read it."""
    return _(
        "Write the amount in figures, like 1250.00 or 1250,00: one point or comma, before the"
        " decimals, and nothing between the thousands."
    )


def places_of(amounts: Iterable[Money]) -> int:
    """The fewest decimals that show each amount whole, at least those of its currency.

    For a column: figures with the same number of decimals align on their point.
    """
    return max((_places(each) for each in amounts), default=2)


def figure(money: Money, places: int | None = None) -> str:
    """The number alone as the reader's language writes it. ``places`` must show it whole."""
    shown = _places(money)
    if places is not None:
        if places < shown:
            raise ValueError(f"{money} is not whole in {places} decimals")
        shown = places
    number = Decimal(money.amount_micro).scaleb(-PLACES)
    text = formats.number_format(number, decimal_pos=shown, force_grouping=True)
    return str(text).replace("-", "−")


def shown_money(money: Money, places: int | None = None) -> str:
    """Figure and currency, kept on one line."""
    return f"{figure(money, places)}\N{NO-BREAK SPACE}{money.currency}"


def _places(money: Money) -> int:
    written = f"{abs(money.amount_micro):07d}"[-PLACES:].rstrip("0")
    return max(decimals_of(money.currency), len(written))


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
