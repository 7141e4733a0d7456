"""Parts sum exactly, whatever is divided."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.money import MICRO, CurrencyMismatch, Money, split

amounts = some.integers(-(10**15), 10**15)
weights = some.lists(some.integers(0, 10**9), min_size=1, max_size=12).filter(any)


@given(amounts, weights)
def test_parts_sum_to_the_whole(amount, shares):
    assert sum(split(amount, shares)) == amount


@given(amounts, weights)
def test_no_part_is_a_unit_away_from_its_exact_share(amount, shares):
    total = sum(shares)
    for part, share in zip(split(amount, shares), shares, strict=True):
        assert abs(part - Fraction(amount * share, total)) < 1


@given(amounts, weights)
def test_who_has_no_weight_gets_nothing(amount, shares):
    parts = split(amount, [*shares, 0])
    assert parts == [*split(amount, shares), 0]


@given(some.integers(0, 10**12), some.integers(1, 12))
def test_equal_weights_differ_by_one_unit_at_most_and_the_earlier_has_it(amount, count):
    parts = split(amount, [1] * count)
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


@given(some.integers(0, 10**12), weights, some.integers(2, 50))
def test_weights_in_other_units_give_the_same_parts(amount, shares, factor):
    assert split(amount, [share * factor for share in shares]) == split(amount, shares)


@pytest.mark.parametrize("shares", [[], [0], [0, 0], [1, -1], [-1]])
def test_weights_that_mean_nothing_are_refused(shares):
    with pytest.raises(ValueError):
        split(100, shares)


def test_two_currencies_are_never_added():
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") - Money(1, "USD")


@given(some.integers(), some.integers())
def test_sums_of_money_are_sums_of_integers(one, other):
    total = Money(one, "EUR") + Money(other, "EUR")
    assert total.amount_micro == one + other
    assert total - Money(other, "EUR") == Money(one, "EUR")
    assert -total == Money(-one - other, "EUR")


def test_money_is_shown_with_every_digit():
    assert str(Money(12 * MICRO + 345_678, "EUR")) == "12.345678 EUR"
    assert str(Money(-1, "EUR")) == "-0.000001 EUR"
