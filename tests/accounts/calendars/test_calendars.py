from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.calendars.commands import MOST_HOLIDAYS, publish_calendar
from accounts.calendars.models import CalendarVersion
from accounts.calendars.queries import calendar_in_force
from accounts.calendars.rules import parse_week, week_texts, working_minutes
from accounts.programmes.commands import ChangedMeanwhile
from core.errors import Absent, InvalidOrder
from core.ids import new_id

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = [*["09:00-17:00"] * 5, "", ""]
ALWAYS = ["00:00-24:00"] * 7
ZONES = ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def minutes(week: list[str], begin: str, end: str, *holidays: date) -> int:
    return working_minutes(parse_week(week), holidays, BERLIN, at(begin), at(end))


# The week --------------------------------------------------------------------------------------


def test_a_week_is_kept_as_it_is_meant():
    written = [" 9:00 – 17:30 ", "09:00-17:30", "00:00-24:00", "", " ", "8:05-8:06", ""]
    assert week_texts(parse_week(written)) == [
        *("09:00-17:30", "09:00-17:30", "00:00-24:00", "", "", "08:05-08:06", "")
    ]


@pytest.mark.parametrize(
    ("week", "code"),
    [
        ([], "week_incomplete"),
        (["09:00-17:00"] * 8, "week_incomplete"),
        ([""] * 7, "week_without_work"),
        (["17:00-09:00", *[""] * 6], "hours_invalid"),
        (["09:00-09:00", *[""] * 6], "hours_invalid"),
        (["09:00-24:01", *[""] * 6], "hours_invalid"),
        (["09:60-17:00", *[""] * 6], "hours_invalid"),
        (["nine to five", *[""] * 6], "hours_invalid"),
        ([None, *["09:00-17:00"] * 6], "hours_invalid"),
    ],
)
def test_what_is_no_week_is_refused_by_name(week, code):
    with pytest.raises(InvalidOrder) as refused:
        parse_week(week)
    assert (refused.value.code, refused.value.field) == (code, "week")


# Working time ----------------------------------------------------------------------------------


def test_nights_weekends_and_holidays_are_not_worked():
    friday_to_monday = ("2026-05-01T16:00", "2026-05-04T10:00")
    assert minutes(OFFICE, *friday_to_monday) == 120
    assert minutes(OFFICE, *friday_to_monday, date(2026, 5, 1)) == 60
    assert minutes(OFFICE, "2026-05-02T00:00", "2026-05-03T23:00") == 0


def test_the_clock_on_the_wall_counts_where_it_is_put_forward_and_back():
    """29 March 2026 has 23 hours in Berlin, 25 October has 25."""
    assert minutes(ALWAYS, "2026-03-29T00:00", "2026-03-30T00:00") == 23 * 60
    assert minutes(ALWAYS, "2026-10-25T00:00", "2026-10-26T00:00") == 25 * 60
    nights = ["", "", "", "", "", "", "01:00-04:00"]
    assert minutes(nights, "2026-03-29T00:00", "2026-03-30T00:00") == 2 * 60
    assert minutes(nights, "2026-10-25T00:00", "2026-10-26T00:00") == 4 * 60
    assert minutes(OFFICE, "2026-03-30T00:00", "2026-03-31T00:00") == 8 * 60


def test_nothing_is_worked_backwards():
    assert minutes(ALWAYS, "2026-05-02T00:00", "2026-05-01T00:00") == 0


moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(zone=st.sampled_from(ZONES), moments=st.lists(moments, min_size=3, max_size=3))
def test_the_parts_of_a_stretch_are_worked_as_long_as_the_whole(zone, moments):
    first, middle, last = sorted(moments)
    week, place = parse_week(OFFICE), ZoneInfo(zone)
    holidays = [first.date()]

    def worked(begin: datetime, end: datetime) -> int:
        return working_minutes(week, holidays, place, begin, end)

    assert worked(first, middle) + worked(middle, last) == worked(first, last)
    assert worked(first, last) <= (last - first) / timedelta(minutes=1)


@given(begin=moments, hours=st.integers(0, 24 * 40), zone=st.sampled_from(ZONES))
def test_who_always_works_works_all_the_time(begin, hours, zone):
    end = begin + timedelta(hours=hours)
    assert working_minutes(parse_week(ALWAYS), [], ZoneInfo(zone), begin, end) == hours * 60


# Versions --------------------------------------------------------------------------------------


def test_a_calendar_is_numbered_and_its_holidays_stand_in_order_each_once(programme, manager):
    easter, christmas = date(2026, 4, 6), date(2026, 12, 25)
    first = publish_calendar(
        programme_id=programme.id,
        week=OFFICE,
        holidays=[christmas, easter, christmas],
        actor=manager.party_id,
    )
    second = publish_calendar(programme_id=programme.id, week=ALWAYS, holidays=[], seen=1)
    assert (first.number, first.holidays) == (1, [easter, christmas])
    assert first.published_by_id == manager.party_id
    assert calendar_in_force(programme.id) == second
    assert CalendarVersion.objects.get(number=1).week == OFFICE, "it stands as it was"


def test_who_writes_second_sees_what_the_first_changed(programme):
    publish_calendar(programme_id=programme.id, week=OFFICE, holidays=[], seen=0)
    publish_calendar(programme_id=programme.id, week=ALWAYS, holidays=[], seen=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        publish_calendar(
            programme_id=programme.id, week=OFFICE, holidays=[date(2026, 1, 1)], seen=1
        )
    (change,) = refused.value.facts["changes"]
    assert (change["field"], refused.value.facts["number"]) == ("week", 2)
    assert "09:00-17:00" in change["before"]
    assert calendar_in_force(programme.id).number == 2


def test_a_refused_calendar_leaves_nothing(programme):
    with pytest.raises(InvalidOrder):
        publish_calendar(programme_id=programme.id, week=[""] * 7, holidays=[])
    many = [date(2026, 1, 1) + timedelta(days=n) for n in range(MOST_HOLIDAYS + 1)]
    with pytest.raises(InvalidOrder) as refused:
        publish_calendar(programme_id=programme.id, week=OFFICE, holidays=many)
    assert refused.value.code == "holidays_too_many"
    with pytest.raises(Absent):
        publish_calendar(programme_id=new_id(), week=OFFICE, holidays=[])
    assert calendar_in_force(programme.id) is None
