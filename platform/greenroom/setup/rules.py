"""Whether there are enough people for what a programme promises: pure functions on values."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.calendars.rules import Week, midnight, worked_spans

HOUR_S = 3600
DAY_HOURS = 24
LOOK_AHEAD_DAYS = 60
# What arrives is followed in quarters of an hour, however much it is.
PARTS_OF_A_DAY = 96
MOST_REVIEWERS = 512
MOST_DAYS = 30
DECIDE_AND_APPEAL = 2


class StepCode(StrEnum):
    """In the order in which one takes them."""

    PARTICULARS = "particulars"
    CALENDAR = "calendar"
    AGREEMENT = "agreement"
    CONSENTS = "consents"
    CLAUSES = "clauses"
    CHARTER = "charter"
    RATES = "rates"
    CREDITS = "credits"
    MODELS = "models"
    RETENTION = "retention"
    MONEY = "money"
    PEOPLE = "people"


class FindingCode(StrEnum):
    """What can keep a programme from opening."""

    PARTICULARS_MISSING = "particulars_missing"
    DAYS_OVER = "days_over"
    CALENDAR_MISSING = "calendar_missing"
    AGREEMENT_MISSING = "agreement_missing"
    CONSENT_MISSING = "consent_missing"
    CLAUSES_MISSING = "clauses_missing"
    CHARTER_MISSING = "charter_missing"
    DECISIONS_LATE = "decisions_late"
    APPEALS_LATE = "appeals_late"
    RATE_MISSING = "rate_missing"
    CREDITS_MISSING = "credits_missing"
    MODELS_MISSING = "models_missing"
    RETENTION_MISSING = "retention_missing"
    MONEY_MISSING = "money_missing"
    MONEY_SHORT = "money_short"
    MANAGER_MISSING = "manager_missing"
    REVIEWERS_MISSING = "reviewers_missing"
    FINANCE_MISSING = "finance_missing"
    SECOND_PERSON_MISSING = "second_person_missing"


@dataclass(frozen=True, slots=True)
class People:
    """Who holds which role. Somebody may be in several."""

    testers: frozenset[UUID] = frozenset()
    reviewers: frozenset[UUID] = frozenset()
    finance: frozenset[UUID] = frozenset()
    managers: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Need:
    """So many people are needed for one thing, and so many are there."""

    code: FindingCode
    needed: int
    there: int

    @property
    def short(self) -> int:
        return max(0, self.needed - self.there)


def people_needed(people: People, *, is_paid: bool) -> list[Need]:
    """What the promises need, whether or not it is there.

    A decision and its appeal are judged by two people, neither of them the clip's maker. A payout
    is proposed by somebody of finance and approved by somebody else of finance or a manager,
    neither of them who is paid. ``there`` counts for the tester for whom the fewest are left.
    """
    needs = [
        Need(FindingCode.MANAGER_MISSING, 1, len(people.managers)),
        Need(
            FindingCode.REVIEWERS_MISSING,
            DECIDE_AND_APPEAL,
            _left_for_anybody(people.testers, people.reviewers),
        ),
    ]
    if is_paid:
        proposers = _left_for_anybody(people.testers, people.finance)
        approvers = _left_for_anybody(people.testers, people.finance | people.managers)
        needs.append(Need(FindingCode.FINANCE_MISSING, 1, proposers))
        # One of those who may approve is the proposer.
        needs.append(Need(FindingCode.SECOND_PERSON_MISSING, 1, approvers - 1 if proposers else 1))
    return needs


def first_missed_day(
    calendar: Week,
    holidays: Collection[date],
    zone: ZoneInfo,
    submissions_per_day: int,
    cases_per_hour: int,
    reviewers: int,
    decide_within_hours: int,
    from_day: date,
    days: int = LOOK_AHEAD_DAYS,
) -> date | None:
    """The first day on which something put forward would be decided late; None if never.

    Submissions arrive evenly round the clock, reviewers decide together in working hours only, the
    oldest first, each case taking one of them its time; the charter's hours run round the clock.
    Nothing waits when it begins.
    """
    if submissions_per_day <= 0:
        return None
    if reviewers <= 0:
        return from_day
    far = from_day + timedelta(days=days + decide_within_hours // DAY_HOURS + 2)
    worked = _Worked(calendar, holidays, zone, from_day, far)
    # In working seconds times this, every sum is a whole number.
    scale = PARTS_OF_A_DAY * reviewers * cases_per_hour
    part = HOUR_S * submissions_per_day
    one_case = HOUR_S * PARTS_OF_A_DAY * reviewers
    done = 0
    for number in range(days):
        day = from_day + timedelta(days=number)
        for arrives_s in _arrivals(day, zone):
            begins = max(worked.until(arrives_s) * scale, done)
            done = begins + part
            due = worked.until(arrives_s + decide_within_hours * HOUR_S) * scale
            if max(done, begins + one_case) > due:
                return day
    return None


def fewest_reviewers(
    calendar: Week,
    holidays: Collection[date],
    zone: ZoneInfo,
    submissions_per_day: int,
    cases_per_hour: int,
    decide_within_hours: int,
    from_day: date,
    days: int = LOOK_AHEAD_DAYS,
) -> int | None:
    """With how many nothing would be late; None where no number helps, since nobody is at work."""

    def is_late(reviewers: int) -> bool:
        missed = first_missed_day(
            calendar,
            holidays,
            zone,
            submissions_per_day,
            cases_per_hour,
            reviewers,
            decide_within_hours,
            from_day,
            days,
        )
        return missed is not None

    low, high = 1, MOST_REVIEWERS
    if is_late(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if is_late(middle) else (low, middle)
    return low


def fewest_days(
    calendar: Week,
    holidays: Collection[date],
    zone: ZoneInfo,
    submissions_per_day: int,
    cases_per_hour: int,
    reviewers: int,
    from_day: date,
    days: int = LOOK_AHEAD_DAYS,
) -> int | None:
    """The shortest promise in whole days that these reviewers would keep; None where even
    ``MOST_DAYS`` are too few. More hours never make anything late."""

    def is_late(promised: int) -> bool:
        hours = promised * DAY_HOURS
        missed = first_missed_day(
            calendar,
            holidays,
            zone,
            submissions_per_day,
            cases_per_hour,
            reviewers,
            hours,
            from_day,
            days,
        )
        return missed is not None

    if is_late(MOST_DAYS):
        return None
    return bisect_left(range(1, MOST_DAYS), True, key=lambda promised: not is_late(promised)) + 1


class _Worked:
    """How many seconds are worked from the first day to a moment; moments are Unix seconds."""

    def __init__(
        self, week: Week, holidays: Collection[date], zone: ZoneInfo, first: date, last: date
    ) -> None:
        spans = [
            (int(begin.timestamp()), int(end.timestamp()))
            for begin, end in worked_spans(week, holidays, zone, first, last)
        ]
        self._begins = [begin for begin, _end in spans]
        self._lengths = [end - begin for begin, end in spans]
        self._before = [0]
        for length in self._lengths:
            self._before.append(self._before[-1] + length)

    def until(self, moment_s: int) -> int:
        place = bisect_right(self._begins, moment_s) - 1
        if place < 0:
            return 0
        since = moment_s - self._begins[place]
        return self._before[place] + min(since, self._lengths[place])


def _arrivals(day: date, zone: ZoneInfo) -> list[int]:
    begin = int(midnight(day, zone).timestamp())
    length = int(midnight(day + timedelta(days=1), zone).timestamp()) - begin
    return [begin + length * part // PARTS_OF_A_DAY for part in range(PARTS_OF_A_DAY)]


def _left_for_anybody(testers: frozenset[UUID], staff: frozenset[UUID]) -> int:
    """How many there are who are not the very person it is about, in the worst case."""
    return len(staff) - 1 if staff & testers else len(staff)
