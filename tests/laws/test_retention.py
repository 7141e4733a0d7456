"""Properties of the rule by which files go, and of the forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from review.retention.rules import (
    FORECAST_DAYS,
    State,
    Stored,
    Terms,
    due_at,
    forecast,
    goes_at,
)

DAYS = st.none() | st.integers(7, 36_500)
TERMS = st.builds(
    Terms,
    draft_days=DAYS,
    unreleased_days=DAYS,
    released_days=DAYS,
    warning_days=st.integers(7, 365),
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
STATES = st.sampled_from(State)


@given(STATES, MOMENTS, TERMS)
@settings(max_examples=200)
def test_a_clip_goes_so_many_whole_days_after_it_came_into_its_state_or_never(state, since, terms):
    found, days = goes_at(state, since, terms), terms.days(state)
    assert (found is None) == (days is None)
    if found is not None:
        assert (found - since) == timedelta(hours=24 * days)


@given(STATES, MOMENTS, TERMS, MOMENTS)
def test_what_may_be_appealed_stays_as_long_as_that(state, since, terms, until):
    found, alone = goes_at(state, since, terms, until), goes_at(state, since, terms)
    assert (found is None) == (alone is None)
    if found and alone:
        assert found == max(alone, until)


@given(STATES, TERMS)
def test_what_is_judged_never_goes(state, terms):
    assert goes_at(state, None, terms) is None


@given(STATES, MOMENTS)
def test_without_terms_nothing_goes(state, since):
    assert goes_at(state, since, None) is None


@given(STATES, MOMENTS, TERMS, TERMS)
def test_longer_terms_never_take_a_clip_earlier(state, since, some, other):
    one, two = goes_at(state, since, some), goes_at(state, since, other)
    if one and two and (some.days(state) or 0) <= (other.days(state) or 0):
        assert one <= two


@given(MOMENTS, MOMENTS, st.integers(7, 365))
def test_nobody_has_less_than_the_warning(over, moment, warning_days):
    due = due_at(over, moment, warning_days)
    assert due >= moment + timedelta(days=7)
    assert due >= over
    assert due in {over, moment + timedelta(days=warning_days)}


def stored(state: State) -> st.SearchStrategy[Stored]:
    """What goes grows with the days and never past what is there."""

    def made(parts: list[int], stays: int, recent: int) -> Stored:
        gone = [sum(parts[: number + 1]) for number in range(len(FORECAST_DAYS))]
        going = {days: (0, bytes_) for days, bytes_ in zip(FORECAST_DAYS, gone, strict=True)}
        return Stored(state, 1, gone[-1] + stays, recent, going)

    sizes = st.integers(0, 10**15)
    return st.builds(made, st.lists(sizes, min_size=4, max_size=4), sizes, sizes)


@given(st.tuples(*(stored(state) for state in State)), TERMS | st.none())
@settings(max_examples=200)
def test_terms_never_cost_more_storage_than_keeping_everything(parts, terms):
    lines = [forecast(list(parts), terms, days) for days in FORECAST_DAYS]
    for line in lines:
        assert 0 <= line.under_terms_bytes <= line.all_kept_bytes
    kept = [line.all_kept_bytes for line in lines]
    assert kept == sorted(kept)
    assert kept[0] >= sum(part.bytes for part in parts)


@given(st.tuples(*(stored(state) for state in State)))
def test_without_terms_the_two_differ_only_by_what_is_announced(parts):
    for days in FORECAST_DAYS:
        line = forecast(list(parts), None, days)
        going = sum(part.goes_within(days)[1] for part in parts)
        assert 0 <= line.all_kept_bytes - line.under_terms_bytes - going <= len(parts)
