"""An idle worker's ear."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from core.outbox.commands import notify
from generation.worker.waiting import wait_for_ring
from stage.cast import Member

pytestmark = pytest.mark.django_db(transaction=True)


def test_work_that_came_before_the_ear_was_open_is_seen_at_once() -> None:
    assert wait_for_ring(600, is_there_work=lambda: True)


def test_nobody_rings_and_nothing_comes() -> None:
    assert not wait_for_ring(0.05, is_there_work=lambda: False)


def test_a_ring_about_something_else_does_not_end_the_waiting(tester: Member) -> None:
    answers: Iterator[bool] = iter([False, False, True])  # at the start, then after each ring

    def is_there_work() -> bool:
        threading.Timer(0.05, rings).start()
        return next(answers)

    def rings() -> None:
        notify({"party": str(tester.party_id), "kind": "job"})
        connection.close()

    assert wait_for_ring(600, is_there_work=is_there_work)
    assert list(answers) == []
