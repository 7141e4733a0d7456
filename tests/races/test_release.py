"""One live release of a clip and one pay for it, whoever presses how often at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import KeyReused
from core.ids import shown
from generation.clips.models import Clip
from review.decisions.models import Decision
from review.ledger.models import Act, LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to
from review.releases import commands as releases
from review.releases.commands import AlreadyReleased, release_clip, take_down_release
from review.releases.models import Release
from stage.cast import Member
from stage.clock import Clock
from stage.review import an_approved_clip, open_review
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

FEE_MICRO = 5_000_000
ROUNDS = 10


@pytest.fixture
def clip(tester: Member, reviewer: Member, clock: Clock) -> Clip:
    open_review(tester.programme)
    assert tester.actor.is_portal
    return an_approved_clip(tester, reviewer, clock)


@pytest.fixture
def rate(tester: Member, clock: Clock) -> None:
    publish_rate(programme_id=tester.programme.id, kind=ActKind.RELEASE, amount_micro=FEE_MICRO)
    clock.advance(seconds=1)


def release(member: Member, clip: Clip) -> Release:
    return release_clip(actor=member.actor, clip_id=shown("clip", clip.id), title="A boat")


def live() -> Any:
    return Release.objects.filter(ended_at=None)


def lines(kind: str) -> int:
    return AuditEvent.objects.filter(kind=kind).count()


def is_paid_once(member: Member, clip: Clip) -> None:
    assert Act.objects.filter(subject_id=clip.id).count() == 1
    assert LedgerTransaction.objects.filter(kind="act").count() == 1
    assert owed_to(member.party_id, member.programme.id).earned.amount_micro == FEE_MICRO
    assert ledger_discrepancies() == []


def test_of_eight_releases_at_once_one_is_live_and_one_is_paid(tester, clip, rate, at_once):
    outcomes = at_once(8, lambda _number: release(tester, clip))
    refused = [one for one in outcomes if not isinstance(one, Release)]
    assert len(refused) == 7
    assert all(isinstance(one, AlreadyReleased) for one in refused), refused
    assert Release.objects.count() == live().count() == lines("release.published") == 1
    is_paid_once(tester, clip)


def looks_first(how_many: int) -> Any:
    """``_begin`` without its guard: all look, see nothing, and then all insert."""
    all_have_looked = threading.Barrier(how_many)

    def begin(wanted: Release, clip: Clip, approval: Decision, actor: Any) -> Release:
        assert not Release.objects.filter(clip=clip, ended_at=None).exists()
        all_have_looked.wait(60)
        for name, value in {
            "programme_id": clip.programme_id,
            "clip": clip,
            "owner_id": actor.party_id,
            "credential_id": actor.credential_id,
            "decision": approval,
            "master_sha256": clip.master_sha256,
            "released_at": now(),
        }.items():
            setattr(wanted, name, value)
        wanted.save(force_insert=True)
        return wanted

    return begin


@contextmanager
def without_the_index(database: Any, name: str) -> Iterator[None]:
    (definition,) = database.superuser.execute(
        "SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]
    ).fetchone()
    database.superuser.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        database.reset()
        database.superuser.execute(definition)


def test_control_who_only_looks_is_answered_by_the_database_with_an_error(
    tester, clip, at_once, monkeypatch
):
    monkeypatch.setattr(releases, "keep_files", lambda **_: None)  # a line of its own
    monkeypatch.setattr(releases, "_begin", looks_first(8))
    outcomes = at_once(8, lambda _number: release(tester, clip))
    assert sum(isinstance(one, Release) for one in outcomes) == 1
    assert sum(isinstance(one, IntegrityError) for one in outcomes) == 7


def test_control_without_the_index_all_eight_are_live(tester, clip, at_once, monkeypatch, database):
    monkeypatch.setattr(releases, "keep_files", lambda **_: None)  # a line of its own
    monkeypatch.setattr(releases, "_begin", looks_first(8))
    with without_the_index(database, "one_live_release_per_clip"):
        at_once(8, lambda _number: release(tester, clip))
        assert live().count() == 8


def test_releases_and_take_downs_at_once_never_leave_two_and_pay_once(tester, clip, rate, at_once):
    """Sixteen, over and over: one looks on, the others release and take down what is live."""
    release(tester, clip)
    over = threading.Event()
    workers = threading.Semaphore(0)

    def one(number: int) -> int:
        if number == 0:
            return look_on(over)
        for turn in range(ROUNDS):
            release_or_come_late() if (number + turn) % 2 else take_down_what_is_live()
        workers.release()
        if number == 1:
            for _ in range(15):
                workers.acquire(timeout=120)
            over.set()
        return 0

    def release_or_come_late() -> None:
        try:
            release(tester, clip)
        except AlreadyReleased:
            return

    def take_down_what_is_live() -> None:
        for row in live():
            take_down_release(actor=tester.actor, release_id=shown("release", row.id))

    outcomes = at_once(16, one)
    assert outcomes[0] == 1, outcomes
    assert outcomes[1:] == [0] * 15
    ended = Release.objects.exclude(ended_at=None).count()
    assert Release.objects.count() == lines("release.published") == ended + live().count()
    assert lines("release.taken_down") == ended > 1
    is_paid_once(tester, clip)


def look_on(over: threading.Event) -> int:
    """The most that were ever live in the eyes of somebody else."""
    most = 0
    while not over.is_set():
        most = max(most, live().count())
    return most


def test_a_release_waits_for_the_take_down_that_came_first(tester, clip, rate, at_once, database):
    first = release(tester, clip)
    is_down = threading.Event()

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                down = take_down_release(actor=tester.actor, release_id=shown("release", first.id))
                is_down.set()
                wait_until(database.waiting)
            return down
        is_down.wait(60)
        return release(tester, clip)

    down, again = at_once(2, one)
    assert down.ended_at is not None
    assert list(live()) == [again]
    is_paid_once(tester, clip)


def test_of_eight_take_downs_at_once_one_is_written(tester, clip, at_once):
    first = shown("release", release(tester, clip).id)
    outcomes = at_once(8, lambda _number: take_down_release(actor=tester.actor, release_id=first))
    assert {one.ended_at is None for one in outcomes} == {False}
    assert lines("release.taken_down") == 1


def test_control_who_looks_and_then_ends_it_is_refused_by_the_database(tester, clip, at_once):
    first = release(tester, clip)
    all_have_looked = threading.Barrier(8)

    def one(_number: int) -> int:
        assert live().exists()
        all_have_looked.wait(60)
        return int(Release.objects.filter(id=first.id).update(ended_at=now()))

    outcomes = at_once(8, one)
    assert sum(isinstance(one, IntegrityError) for one in outcomes) == 7


def test_control_without_the_question_whether_it_earned_a_second_release_cannot_be_made(
    tester, clip, rate, monkeypatch
):
    """The ledger's own guard stands behind: it posts nothing twice, but it refuses the release."""
    take_down_release(actor=tester.actor, release_id=shown("release", release(tester, clip).id))
    monkeypatch.setattr(releases, "has_earned", lambda _clip: False)
    with pytest.raises(KeyReused):
        release(tester, clip)
    is_paid_once(tester, clip)
