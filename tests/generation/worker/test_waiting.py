"""An idle worker's ear."""

from __future__ import annotations

import pytest

from core.outbox.commands import notify
from generation.worker.waiting import wait_for_ring

pytestmark = pytest.mark.django_db(transaction=True)


def test_work_that_came_before_the_ear_was_open_is_seen_at_once() -> None:
    assert wait_for_ring(600, is_there_work=lambda: True)


def test_without_a_ring_the_waiting_ends_in_time() -> None:
    assert not wait_for_ring(0.05, is_there_work=lambda: False)


def test_a_ring_about_something_else_does_not_end_the_waiting() -> None:
    answers = iter([False, False, True])  # before listening, then after each ring

    def is_there_work() -> bool:
        notify({"party": None, "kind": "job"})
        return next(answers)

    assert wait_for_ring(600, is_there_work=is_there_work)
    assert list(answers) == []
