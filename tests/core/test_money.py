"""Parts sum exactly, whatever is divided."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as some

from core.money import (
    MICRO,
    CurrencyMismatch,
    Money,
    decimals_of,
    figure,
    places_of,
    read_money,
    shown_money,
    split,
    unit_micro,
    whole_units,
)

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


CURRENCIES = [
    *("EUR", "USD", "GBP", "CHF", "JPY", "KRW", "ISK", "HUF", "XAF", "XPF", "VND", "UGX", "CLP"),
    *("KWD", "BHD", "TND", "OMR", "LYD", "IQD", "JOD", "CLF", "UYW", "UYI", "MGA", "MRU", "XTS"),
]
micros = some.integers(0, 10**15)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_database_knows_the_same_smallest_unit_of_a_currency(db, currency):
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency_unit_micro(%s)", [currency])
        assert cursor.fetchone() == (unit_micro(currency),)


@pytest.mark.parametrize(
    ("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0)]
)
def test_a_currency_has_the_decimals_of_iso_4217(currency, decimals):
    assert decimals_of(currency) == decimals
    assert unit_micro(currency) == 10 ** (6 - decimals)


@given(micros, some.sampled_from(CURRENCIES))
def test_rounding_down_leaves_less_than_one_unit(amount, currency):
    money = Money(amount, currency)
    rounded, unit = whole_units(money), unit_micro(currency)
    assert rounded.amount_micro % unit == 0
    assert 0 <= (money - rounded).amount_micro < unit


@pytest.mark.parametrize(
    ("text", "amount_micro"),
    [
        ("25", 25 * MICRO),
        (" 25.00 ", 25 * MICRO),
        ("0.0037", 3_700),
        ("0.000001", 1),
        ("0.1", 100_000),
        ("999999999.999999", 999_999_999_999_999),
        ("0", 0),
        ("30,50", 30_500_000),
        ("30,5", 30_500_000),
        ("1000,00", 1000 * MICRO),
        ("0,0001", 100),
    ],
)
def test_a_decimal_amount_is_read_to_the_micro_unit(text, amount_micro):
    assert read_money(text, "EUR") == Money(amount_micro, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1,000",
        "0,125",
        "1.000,50",
        "1,000.50",
        "1,000,000",
        "30,",
        ",50",
        "1e3",
        "NaN",
        "0.0000001",
        "1.",
        ".5",
        "1 000",
        "٣",
        "1_0",
        "1000000000.000001",
    ],
)
def test_what_is_no_plain_amount_is_not_read(text):
    assert read_money(text, "EUR") is None


def test_an_amount_is_read_and_shown_as_the_language_writes_it():
    with override("de"):
        assert read_money("1234,50", "EUR") == Money(1_234_500_000, "EUR")
        assert read_money("1234.50", "EUR") == Money(1_234_500_000, "EUR")
        assert read_money("1.234", "EUR") is None, "a point there would be a thousand"
        assert read_money("1,234", "KWD") == Money(1_234_000, "KWD")
        assert figure(Money(1_234_500_000, "EUR")) == "1.234,50"
    with override("fr"):
        assert figure(Money(-5_000, "EUR")) == "−0,005"


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(25 * MICRO, "EUR"), "25.00"),
        (Money(3_700, "EUR"), "0.0037"),
        (Money(1_234_567 * MICRO, "EUR"), "1,234,567.00"),
        (Money(-1, "EUR"), "−0.000001"),
        (Money(500 * MICRO, "JPY"), "500"),
        (Money(500_500_000, "JPY"), "500.5"),
        (Money(1_500_000, "KWD"), "1.500"),
        (Money(0, "EUR"), "0.00"),
    ],
)
def test_a_figure_has_the_currencys_decimals_and_as_many_more_as_it_needs(money, text):
    assert figure(money) == text
    assert shown_money(money) == f"{text}\N{NO-BREAK SPACE}{money.currency}"


@given(some.lists(some.builds(Money, micros, some.just("EUR")), min_size=1))
def test_the_figures_of_a_column_align_and_lose_nothing(column):
    places = places_of(column)
    for money in column:
        text = figure(money, places)
        assert len(text.partition(".")[2]) == places
        assert int(Decimal(text.replace(",", "")) * MICRO) == money.amount_micro


def test_a_column_without_figures_has_the_usual_decimals():
    assert places_of([]) == 2


def test_a_figure_is_never_cut_off():
    with pytest.raises(ValueError, match="not whole"):
        figure(Money(1, "EUR"), 2)
