"""Working hours: what a week's texts mean, and how much of a stretch of time is worked.

A week is seven texts, Monday first, each like ``09:00-17:30`` or empty for a day off. The clock on
the wall is what counts: on the night it is put forward, a shift across it is an hour shorter. A
time that it shows twice is the first of the two, one that it leaves out is an hour later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from core.errors import InvalidOrder

DAYS = 7
MINUTES_OF_A_DAY = 24 * 60
# With or without the leading zero, with a hyphen or the dash that some keyboards make of it.
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of a day, from and to; the end is not worked any more, and may be midnight."""

    begin: int
    end: int

    def __str__(self) -> str:
        return f"{_clock(self.begin)}-{_clock(self.end)}"


Week = tuple[Span | None, ...]


def parse_week(texts: Sequence[str]) -> Week:
    """Raises ``InvalidOrder``: ``week_incomplete``, ``hours_invalid`` naming the day, or
    ``week_without_work``."""
    if len(texts) != DAYS:
        raise InvalidOrder(
            "week_incomplete", _("A week has seven days, Monday first."), field="week"
        )
    week = tuple(_span(text, day) for day, text in enumerate(texts))
    if not any(week):
        raise InvalidOrder(
            "week_without_work", _("Somebody works on one day at least."), field="week"
        )
    return week


def week_texts(week: Week) -> list[str]:
    """As a calendar keeps it: two figures everywhere, empty for a day off."""
    return [str(span) if span else "" for span in week]


def worked_spans(
    week: Week, holidays: Collection[date], zone: ZoneInfo, first: date, last: date
) -> Iterator[tuple[datetime, datetime]]:
    """What is worked from one day to another, both included: moments in UTC, in order."""
    day = first
    while day <= last:
        span = week[day.weekday()]
        if span is not None and day not in holidays:
            begin, end = _moment(day, span.begin, zone), _moment(day, span.end, zone)
            if begin < end:
                yield begin, end
        day += timedelta(days=1)


def working_minutes(
    week: Week, holidays: Collection[date], zone: ZoneInfo, begin: datetime, end: datetime
) -> int:
    """Whole minutes worked between two moments; none where the second is not the later one."""
    first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    # Python subtracts two moments of one zone by the clock on the wall; in UTC time is what passed.
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    worked = sum(
        (
            max(timedelta(0), min(end, stops) - max(begin, starts))
            for starts, stops in worked_spans(week, holidays, zone, first, last)
        ),
        timedelta(0),
    )
    return worked // timedelta(minutes=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which this day begins there, in UTC."""
    return _moment(day, 0, zone)


def _span(text: Any, day: int) -> Span | None:
    written = text.strip() if isinstance(text, str) else "?"
    if not written:
        return None
    found = _SPAN.match(written)
    begin, end = _minutes(found[1], found[2]) if found else None, None
    if found:
        end = _minutes(found[3], found[4])
    if begin is None or end is None or begin >= end:
        raise InvalidOrder(
            "hours_invalid",
            _("%(day)s: working hours are written like 09:00-17:30, the end after the beginning.")
            % {"day": WEEKDAYS[day]},
            field="week",
            day=day,
        )
    return Span(begin, end)


def _minutes(hours: str, minutes: str) -> int | None:
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= MINUTES_OF_A_DAY else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    over, rest = divmod(minutes, MINUTES_OF_A_DAY)
    local = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone)
    return (local + timedelta(days=over)).astimezone(UTC)
