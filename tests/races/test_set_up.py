"""Two managers at once: one publishes, the other sees what changed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.calendars import commands as calendars
from accounts.calendars.models import CalendarVersion
from accounts.programmes.commands import ChangedMeanwhile, ParticularsWish, make_programme
from accounts.programmes.models import Programme
from accounts.rates.commands import publish_rate
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from greenroom.setup import commands as setup
from greenroom.setup import defaults

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
PUBLISHERS = 8


@pytest.fixture
def empty() -> Programme:
    return make_programme(slug="harbour", wish=ParticularsWish("Harbour tests"))


def published(empty: Programme, at_once: Any) -> list[Any]:
    return at_once(
        PUBLISHERS,
        lambda _number: calendars.publish_calendar(
            programme_id=empty.id, week=defaults.WEEK, holidays=[], seen=0
        ),
    )


def test_of_eight_who_write_from_the_same_version_one_publishes(empty, at_once):
    outcomes = published(empty, at_once)
    assert sum(isinstance(each, CalendarVersion) for each in outcomes) == 1
    assert sum(isinstance(each, ChangedMeanwhile) for each in outcomes) == PUBLISHERS - 1
    assert CalendarVersion.objects.get().number == 1


def test_control_without_the_line_the_database_alone_says_no(empty, at_once, monkeypatch):
    everybody = threading.Barrier(PUBLISHERS)
    real = calendars.next_number

    def together(*versions: Any, **wish: Any) -> int:
        number = real(*versions, **wish)
        everybody.wait(60)
        return number

    monkeypatch.setattr(calendars, "lock_programme", lambda programme_id: None)
    monkeypatch.setattr(calendars, "next_number", together)
    outcomes = published(empty, at_once)
    assert sum(isinstance(each, CalendarVersion) for each in outcomes) == 1
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == PUBLISHERS - 1


def kept(empty: Programme, at_once: Any) -> list[Any]:
    """Half of them keep the defaults, the others publish a rate of their own."""

    def one(number: int) -> Any:
        if number % 2:
            return publish_rate(programme_id=empty.id, kind=ActKind.FEEDBACK, amount_micro=number)
        return setup.keep_defaults(programme_id=empty.id)

    return at_once(PUBLISHERS, one)


def test_defaults_kept_by_several_while_rates_are_published_come_once(empty, at_once):
    outcomes = kept(empty, at_once)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert sum(each != [] for each in outcomes[::2]) == 1
    assert CalendarVersion.objects.count() == 1
    assert Rate.objects.filter(kind=ActKind.RELEASE).count() == 1
