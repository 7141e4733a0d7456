"""When the files of a clip go under a programme's terms, and how much storage that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# Days ahead for which a manager reads what goes, and what storage comes to.
GOING_DAYS = (30, 60, 90)
FORECAST_DAYS = (30, 60, 90, 365)
# What is made in this many days says how much will be made; in a younger programme nothing does.
RATE_DAYS = 30

# Who may read a programme's figures of storage.
ROLES_OF_STORAGE = frozenset({"manager", "administrator", "auditor"})


class State(TextChoices):
    """What a clip is to the terms of retention."""

    DRAFT = "draft", _("Drafts, never put forward")
    UNRELEASED = "unreleased", _("Put forward, not released")
    RELEASED = "released", _("Released")


@dataclass(frozen=True, slots=True)
class Terms:
    """Days that files are kept from the moment a clip came into its state; None for ever."""

    draft_days: int | None = None
    unreleased_days: int | None = None
    released_days: int | None = None
    warning_days: int = 14

    def days(self, state: State) -> int | None:
        return {
            State.DRAFT: self.draft_days,
            State.UNRELEASED: self.unreleased_days,
            State.RELEASED: self.released_days,
        }[state]


def goes_at(
    state: State,
    since: datetime | None,
    terms: Terms | None,
    appeal_until: datetime | None = None,
) -> datetime | None:
    """When the time of a clip is over; None where it is kept.

    ``since`` is None while a case about it is open: what is judged stays. So does what was refused,
    as long as its owner may appeal: until ``appeal_until``.
    """
    days = terms.days(state) if terms else None
    if since is None or days is None:
        return None
    over = since + timedelta(days=days)
    return over if appeal_until is None else max(over, appeal_until)


def due_at(time_is_over: datetime, moment: datetime, warning_days: int) -> datetime:
    """When the files of a clip go whose owner is warned at ``moment``: never without the warning's
    full time, though its own time be long over."""
    return max(time_is_over, moment + timedelta(days=warning_days))


@dataclass(frozen=True, slots=True)
class Stored:
    """Clips in one state and the bytes of all their files.

    ``going`` are clips and bytes that go within so many days, as things stand; ``recent_bytes`` is
    what was made in the last ``RATE_DAYS`` and stands in this state today.
    """

    state: State
    clips: int = 0
    bytes: int = 0
    recent_bytes: int = 0
    going: Mapping[int, tuple[int, int]] | None = None

    def goes_within(self, days: int) -> tuple[int, int]:
        return (self.going or {}).get(days, (0, 0))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Total bytes in so many days: under the terms, and if everything were kept."""

    days: int
    under_terms_bytes: int
    all_kept_bytes: int


def forecast(stored: list[Stored], terms: Terms | None, days: int) -> Forecast:
    """At the rate of the last ``RATE_DAYS``, if every clip stays in the state it is in today and
    new ones end up in the states that those of these days are in. Whole bytes, rounded down."""
    now = sum(each.bytes for each in stored)
    recent = sum(each.recent_bytes for each in stored)
    kept = sum(each.bytes - each.goes_within(days)[1] for each in stored)
    new = sum(_made(each.recent_bytes, _kept_for(each.state, terms, days)) for each in stored)
    return Forecast(days, kept + new, now + _made(recent, days))


def _kept_for(state: State, terms: Terms | None, days: int) -> int:
    """Of the clips made in the next ``days``, those of the last so many are still there then."""
    longest = terms.days(state) if terms else None
    return days if longest is None else min(days, longest)


def _made(recent_bytes: int, days: int) -> int:
    return recent_bytes * days // RATE_DAYS
