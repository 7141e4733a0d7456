"""How far a programme is: its steps in order, and what keeps it from opening."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.calendars.models import CalendarVersion
from accounts.calendars.rules import parse_week
from accounts.consents.rules import Purpose
from accounts.programmes.models import Particulars
from accounts.rates.words import KIND_WORDS
from core.clock import now
from core.money import shown_money
from greenroom.setup.rules import (
    DAY_HOURS,
    LOOK_AHEAD_DAYS,
    MOST_DAYS,
    FindingCode,
    Need,
    StepCode,
    fewest_days,
    fewest_reviewers,
    first_missed_day,
    people_needed,
)
from greenroom.setup.standing import Standing, standing_of
from greenroom.setup.words import STANDS, TITLES

APPEALS_PER_DAY = 1


class StepState(StrEnum):
    """``open``: nobody decided yet. ``wrong``: somebody did, and it cannot stay so."""

    DONE = "done"
    OPEN = "open"
    WRONG = "wrong"


# Nothing has to stand there: without a list every model that is offered may be used, and who is
# paid nothing needs no money.
_MAY_STAY_OPEN = frozenset({StepCode.MODELS, StepCode.MONEY})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps the programme from opening, in a sentence that says what to do."""

    code: str
    step: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """``page`` is the name of its address. ``number``: the version in force, where it has such."""

    code: str
    title: Any
    state: str
    sentence: str
    page: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    steps: list[Step]
    findings: list[Finding]


def progress_of(programme_id: UUID, moment: datetime) -> Progress:
    """Both at once, from one reading."""
    standing = standing_of(programme_id, moment)
    found = _findings(standing)
    wrong = {finding.step for finding in found}
    return Progress([_step(code, standing, is_wrong=code in wrong) for code in StepCode], found)


def steps(programme_id: UUID) -> list[Step]:
    """All of them, in order."""
    return progress_of(programme_id, now()).steps


def findings(programme_id: UUID, moment: datetime) -> list[Finding]:
    """What keeps it from opening at this moment, in the order of the steps; empty where nothing
    does."""
    return _findings(standing_of(programme_id, moment))


def _findings(standing: Standing) -> list[Finding]:
    found = [
        *_about_what_is_published(standing),
        *_about_promises(standing),
        *_about_money(standing),
        *_about_people(standing),
    ]
    order = list(StepCode)
    return sorted(found, key=lambda finding: order.index(StepCode(finding.step)))


def _about_what_is_published(standing: Standing) -> Iterator[Finding]:
    if standing.particulars is None:
        yield _found(
            FindingCode.PARTICULARS_MISSING,
            StepCode.PARTICULARS,
            _("Say what the programme is called and where it is."),
        )
    elif _last_day_is_over(standing.particulars, standing.moment):
        yield _found(
            FindingCode.DAYS_OVER,
            StepCode.PARTICULARS,
            _("Its last day, %(day)s, is over. Set a later one.")
            % {"day": formats.date_format(standing.particulars.closes_on or "")},
        )
    missing: list[tuple[Any, FindingCode, StepCode, str]] = [
        (
            standing.calendar,
            FindingCode.CALENDAR_MISSING,
            StepCode.CALENDAR,
            _("Say when its people work."),
        ),
        (
            standing.agreement,
            FindingCode.AGREEMENT_MISSING,
            StepCode.AGREEMENT,
            _("Publish an agreement: nothing is made without one."),
        ),
        (
            standing.policy,
            FindingCode.CLAUSES_MISSING,
            StepCode.CLAUSES,
            _("Publish the clauses that clips are judged by."),
        ),
        (
            standing.charter,
            FindingCode.CHARTER_MISSING,
            StepCode.CHARTER,
            _("Promise a time in which clips are decided."),
        ),
        (
            standing.models,
            FindingCode.MODELS_MISSING,
            StepCode.MODELS,
            _("None of the models that it allows is offered here. Allow one that is."),
        ),
        (
            standing.retention,
            FindingCode.RETENTION_MISSING,
            StepCode.RETENTION,
            _("Say how long files are kept."),
        ),
        (
            standing.credits.left > 0,
            FindingCode.CREDITS_MISSING,
            StepCode.CREDITS,
            _("Give the programme credits; it has none left."),
        ),
    ]
    yield from (_found(code, step, words) for there, code, step, words in missing if not there)
    for purpose in Purpose:
        if purpose not in standing.consents:
            yield _found(
                FindingCode.CONSENT_MISSING,
                StepCode.CONSENTS,
                _("Say whether you ask for this consent, and what it would mean: %(purpose)s.")
                % {"purpose": purpose.label},
            )
    for line in standing.rates:
        if line.in_force is None:
            yield _found(
                FindingCode.RATE_MISSING,
                StepCode.RATES,
                _("Publish a rate, even if it is zero, for: %(kind)s.")
                % {"kind": KIND_WORDS[line.kind]},
            )


def _about_promises(standing: Standing) -> Iterator[Finding]:
    """Only where there are people and hours to promise with: that they lack is said elsewhere."""
    particulars, calendar, charter = standing.particulars, standing.calendar, standing.charter
    reviewers = len(standing.people.reviewers)
    if particulars is None or calendar is None or charter is None or not reviewers:
        return
    yield from _late(
        _Promise(
            code=FindingCode.DECISIONS_LATE,
            per_day=particulars.submissions_per_day,
            hours=charter.decide_within_hours,
            words=_decisions_words,
        ),
        standing,
        particulars,
        calendar,
    )
    yield from _late(
        _Promise(
            code=FindingCode.APPEALS_LATE,
            per_day=APPEALS_PER_DAY,
            hours=charter.appeal_within_hours,
            words=_appeals_words,
        ),
        standing,
        particulars,
        calendar,
    )


@dataclass(frozen=True, slots=True)
class _Promise:
    code: FindingCode
    per_day: int
    hours: int
    words: Callable[[str, int, int], str]


def _late(
    promise: _Promise, standing: Standing, particulars: Particulars, calendar: CalendarVersion
) -> Iterator[Finding]:
    reviewers = len(standing.people.reviewers)
    first, days = _days_ahead(particulars, standing.moment)
    week, holidays = parse_week(calendar.week), frozenset(calendar.holidays)
    zone, pace = ZoneInfo(particulars.time_zone), particulars.cases_per_hour
    missed = first_missed_day(
        week, holidays, zone, promise.per_day, pace, reviewers, promise.hours, first, days
    )
    if missed is None:
        return
    needed = fewest_reviewers(
        week, holidays, zone, promise.per_day, pace, promise.hours, first, days
    )
    kept_days = fewest_days(week, holidays, zone, promise.per_day, pace, reviewers, first, days)
    yield _found(
        promise.code,
        StepCode.CHARTER,
        " ".join(
            [
                promise.words(formats.date_format(missed), promise.hours, reviewers),
                _who_is_short(needed, reviewers),
                _which_would_be_kept(kept_days),
            ]
        ),
    )


def _decisions_words(day: str, hours: int, reviewers: int) -> str:
    promised = ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
    return ngettext(
        "With %(reviewers)s reviewer, what is put forward on %(day)s would be decided later than"
        " promised by the charter: %(promised)s.",
        "With %(reviewers)s reviewers, what is put forward on %(day)s would be decided later than"
        " promised by the charter: %(promised)s.",
        reviewers,
    ) % {"reviewers": reviewers, "day": day, "promised": promised}


def _appeals_words(day: str, hours: int, reviewers: int) -> str:
    return ngettext(
        "An appeal filed on %(day)s would be decided later than the %(hours)s hour that the"
        " charter promises.",
        "An appeal filed on %(day)s would be decided later than the %(hours)s hours that the"
        " charter promises.",
        hours,
    ) % {"day": day, "hours": hours}


def _who_is_short(needed: int | None, there: int) -> str:
    if needed is None:
        return _(
            "More people would not help, since nobody is at work for that long: promise more hours,"
            " or change the working hours."
        )
    short = needed - there
    return ngettext(
        "%(short)s more reviewer would keep the promise.",
        "%(short)s more reviewers would keep the promise.",
        short,
    ) % {"short": short}


def _which_would_be_kept(days: int | None) -> str:
    if days is None:
        return _("With the people there are, not even %(most)s hours would be kept.") % {
            "most": MOST_DAYS * DAY_HOURS
        }
    return _("As things are, a promise of at least %(least)s hours would be kept.") % {
        "least": days * DAY_HOURS
    }


def _about_money(standing: Standing) -> Iterator[Finding]:
    if not standing.is_paid or standing.particulars is None:
        return
    if standing.money.amount_micro <= 0:
        yield _found(
            FindingCode.MONEY_MISSING,
            StepCode.MONEY,
            _("Rates promise pay, and no money is set aside for it."),
        )
    elif standing.money_lasts_days == 0:
        yield _found(
            FindingCode.MONEY_SHORT,
            StepCode.MONEY,
            _("%(amount)s would not last a single day at these rates.")
            % {"amount": shown_money(standing.money)},
        )


def _about_people(standing: Standing) -> Iterator[Finding]:
    for need in people_needed(standing.people, is_paid=standing.is_paid):
        if need.short:
            yield _found(need.code, StepCode.PEOPLE, _need_words(need))


def _need_words(need: Need) -> str:
    if need.code == FindingCode.MANAGER_MISSING:
        return _("Somebody has to manage the programme.")
    if need.code == FindingCode.FINANCE_MISSING:
        return _("Rates promise pay: somebody of finance has to propose it.")
    if need.code == FindingCode.SECOND_PERSON_MISSING:
        return _(
            "Whoever proposes a payout does not approve it: one more person of finance, or a"
            " programme manager, is needed."
        )
    return ngettext(
        "A decision and its appeal are judged by two people, neither of whom made the clip:"
        " %(short)s reviewer is missing.",
        "A decision and its appeal are judged by two people, neither of whom made the clip:"
        " %(short)s reviewers are missing.",
        need.short,
    ) % {"short": need.short}


def _found(code: FindingCode, step: StepCode, sentence: str) -> Finding:
    return Finding(code.value, step.value, sentence)


def _today(particulars: Particulars, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(particulars.time_zone)).date()


def _last_day_is_over(particulars: Particulars, moment: datetime) -> bool:
    closes_on: date | None = particulars.closes_on
    return closes_on is not None and closes_on < _today(particulars, moment)


def _days_ahead(particulars: Particulars, moment: datetime) -> tuple[date, int]:
    """From today or the first day on, up to the last: where the check of a promise looks."""
    first = _today(particulars, moment)
    if particulars.opens_on and particulars.opens_on > first:
        first = particulars.opens_on
    days = LOOK_AHEAD_DAYS
    if particulars.closes_on:
        days = min(days, (particulars.closes_on - first + timedelta(days=1)).days)
    return first, max(0, days)


def _step(code: StepCode, standing: Standing, *, is_wrong: bool) -> Step:
    stands, number, sentence = STANDS[code](standing)
    if is_wrong:
        state = StepState.WRONG if stands else StepState.OPEN
    else:
        state = StepState.DONE if stands or code in _MAY_STAY_OPEN else StepState.OPEN
    return Step(code.value, TITLES[code], state.value, sentence, f"setup-{code}", number)
