"""The check of promises: pure sums over people, hours and clips."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.calendars.rules import parse_week
from core.ids import new_id
from greenroom.setup.rules import (
    FindingCode,
    People,
    fewest_days,
    fewest_reviewers,
    first_missed_day,
    people_needed,
)

OFFICE = parse_week([*["09:00-17:00"] * 5, "", ""])
DAILY = parse_week(["09:00-17:00"] * 7)
ALWAYS = parse_week(["00:00-24:00"] * 7)
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY, FRIDAY = date(2026, 6, 1), date(2026, 6, 5)


def missed(
    week=OFFICE,
    holidays=(),
    zone=BERLIN,
    per_day=20,
    pace=6,
    reviewers=2,
    hours=72,
    begins=MONDAY,
    days=60,
):
    return first_missed_day(week, holidays, zone, per_day, pace, reviewers, hours, begins, days)


def somebody(many=1):
    return frozenset(new_id() for _ in range(many))


def short(people, *, is_paid):
    return {need.code: need.short for need in people_needed(people, is_paid=is_paid) if need.short}


# People ----------------------------------------------------------------------------------------


def test_a_decision_and_its_appeal_take_two_people():
    one = People(reviewers=somebody(), managers=somebody())
    assert short(one, is_paid=False) == {FindingCode.REVIEWERS_MISSING: 1}
    two = People(reviewers=somebody(2), managers=somebody())
    assert short(two, is_paid=False) == {}


def test_a_reviewer_who_makes_clips_judges_none_of_their_own():
    both = somebody(2)
    people = People(testers=both, reviewers=both, managers=somebody())
    assert short(people, is_paid=False) == {FindingCode.REVIEWERS_MISSING: 1}


def test_a_programme_has_somebody_who_manages_it():
    assert short(People(reviewers=somebody(2)), is_paid=False) == {FindingCode.MANAGER_MISSING: 1}


@pytest.mark.parametrize(
    ("finance", "managers", "missing"),
    [
        (0, 1, {FindingCode.FINANCE_MISSING: 1}),
        (1, 0, {FindingCode.MANAGER_MISSING: 1, FindingCode.SECOND_PERSON_MISSING: 1}),
        (1, 1, {}),
        (2, 1, {}),
    ],
)
def test_pay_takes_somebody_who_proposes_and_somebody_else_who_approves(finance, managers, missing):
    people = People(reviewers=somebody(2), finance=somebody(finance), managers=somebody(managers))
    assert short(people, is_paid=True) == missing
    assert FindingCode.FINANCE_MISSING not in short(people, is_paid=False)


def test_nobody_of_finance_proposes_their_own_pay():
    finance = somebody()
    people = People(testers=finance, reviewers=somebody(2), finance=finance, managers=somebody())
    assert short(people, is_paid=True) == {FindingCode.FINANCE_MISSING: 1}


# Time ------------------------------------------------------------------------------------------


def test_three_days_reach_over_a_weekend_and_two_do_not():
    assert missed(hours=72) is None
    assert missed(hours=48) == FRIDAY, "what comes in after five waits until Monday"
    assert missed(week=DAILY, hours=48) is None


def test_a_long_weekend_is_found_in_the_calendar():
    corpus_christi = [date(2026, 6, 15)]
    assert missed(holidays=corpus_christi, hours=72) == date(2026, 6, 12)
    assert missed(holidays=corpus_christi, hours=96) is None


def test_a_desk_that_falls_behind_misses_its_first_clock_weeks_later():
    """Three reviewers decide 144 a day, 1008 a week; 150 a day come in."""
    found = missed(week=DAILY, per_day=150, reviewers=3, hours=72)
    assert found is not None
    assert (found - MONDAY).days > 30
    assert missed(week=DAILY, per_day=140, reviewers=3, hours=72) is None


def test_nobody_at_the_desk_misses_the_first_day_and_nothing_put_forward_is_never_late():
    assert missed(reviewers=0) == MONDAY
    assert missed(reviewers=0, per_day=0) is None


def test_the_night_of_the_longer_hour_is_an_hour_longer():
    """25 October 2026 in Berlin: from Saturday 17:00 to Sunday 09:00 are 17 hours, not 16."""
    begins = date(2026, 10, 19)
    assert missed(week=DAILY, per_day=1, pace=1000, hours=17, begins=begins) == date(2026, 10, 24)
    assert missed(week=DAILY, per_day=1, pace=1000, hours=17, begins=begins, days=5) is None


def test_the_fewest_who_keep_a_promise_keep_it_and_one_less_does_not():
    week, per_day, pace, hours = OFFICE, 600, 6, 72
    fewest = fewest_reviewers(week, [], BERLIN, per_day, pace, hours, MONDAY)
    assert fewest is not None
    assert missed(per_day=per_day, reviewers=fewest) is None
    assert missed(per_day=per_day, reviewers=fewest - 1) is not None


def test_no_number_of_people_helps_where_nobody_is_at_work():
    assert fewest_reviewers(OFFICE, [], BERLIN, 20, 6, 48, MONDAY) is None


def test_the_shortest_promise_that_is_kept_is_kept_and_a_day_less_is_not():
    days = fewest_days(OFFICE, [], BERLIN, 20, 6, 2, MONDAY)
    assert days == 3
    assert missed(hours=24 * days) is None
    assert missed(hours=24 * (days - 1)) is not None
    assert fewest_days(OFFICE, [], BERLIN, 2000, 6, 1, MONDAY) is None


weeks = st.sampled_from([OFFICE, DAILY, ALWAYS])
loads = st.integers(0, 400)
paces = st.integers(1, 20)
crews = st.integers(0, 12)
clocks = st.integers(1, 150)
begins = st.dates(date(2026, 1, 1), date(2026, 12, 31))
offs = st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 31)), max_size=5)
NEVER = date.max


@given(weeks, offs, loads, paces, crews, clocks, begins, st.integers(0, 5))
def test_more_reviewers_never_make_it_worse(week, off, load, pace, crew, hours, day, more):
    fewer = missed(week, off, BERLIN, load, pace, crew, hours, day, 14)
    greater = missed(week, off, BERLIN, load, pace, crew + more, hours, day, 14)
    assert (greater or NEVER) >= (fewer or NEVER)


@given(weeks, offs, loads, paces, crews, clocks, begins, st.integers(0, 72))
def test_a_longer_charter_never_makes_it_worse(week, off, load, pace, crew, hours, day, more):
    shorter = missed(week, off, BERLIN, load, pace, crew, hours, day, 14)
    longer = missed(week, off, BERLIN, load, pace, crew, hours + more, day, 14)
    assert (longer or NEVER) >= (shorter or NEVER)


@given(weeks, offs, loads, paces, crews, clocks, begins, st.integers(0, 50))
def test_more_clips_never_make_it_better(week, off, load, pace, crew, hours, day, more):
    fewer = missed(week, off, BERLIN, load, pace, crew, hours, day, 14)
    greater = missed(week, off, BERLIN, load + more, pace, crew, hours, day, 14)
    assert (greater or NEVER) <= (fewer or NEVER)
