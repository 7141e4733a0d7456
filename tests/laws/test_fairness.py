"""Nobody starves: testers who wait together are served together, credit for credit.

Start-time fair queueing (Goyal, Vin and Cheng 1996) bounds by how much: while two have work,
what they have been given differs by at most one largest job of each.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as some

from accounts.programmes.models import Role
from generation.jobs.commands import submit_job
from generation.jobs.queries import standing_of
from generation.worker.commands import cancel_running_job, claim_next_job
from generation.worker.identity import this_worker
from stage.builders import a_job, a_model, a_wish
from stage.cast import Member, a_member

LANE = "still:standard"
TESTERS = 3

# A tester orders a clip of so many credits, or (None) the device takes the next job and makes it.
steps = some.one_of(some.none(), some.tuples(some.integers(0, TESTERS - 1), some.integers(1, 8)))
plans = some.lists(steps, min_size=10, max_size=36)


@pytest.fixture
def testers(programme) -> list[Member]:
    a_model()
    found = [a_member(programme, Role.TESTER, name=f"tester {n}") for n in range(TESTERS)]
    assert all(tester.actor.is_portal for tester in found)  # signed in, before anything is undone
    return found


class Books:
    """What each tester still waits for, and what each was given."""

    def __init__(self) -> None:
        self.waiting = [0] * TESTERS
        self.served = [0] * TESTERS
        self.largest = [0] * TESTERS
        # For a pair: the differences seen since both have had work.
        self.seen: dict[tuple[int, int], list[int]] = {}

    def order(self, who: int, credits: int) -> None:  # noqa: A002
        self.waiting[who] += 1
        self.largest[who] = max(self.largest[who], credits)
        self._note()

    def serve(self, who: int, credits: int) -> None:  # noqa: A002
        self.served[who] += credits
        self._note()
        self.waiting[who] -= 1
        self._note()

    def _note(self) -> None:
        for one, other in combinations(range(TESTERS), 2):
            if self.waiting[one] and self.waiting[other]:
                difference = self.served[one] - self.served[other]
                self.seen.setdefault((one, other), []).append(difference)
            else:
                self._check(one, other)

    def _check(self, one: int, other: int) -> None:
        seen = self.seen.pop((one, other), [0])
        assert max(seen) - min(seen) <= self.largest[one] + self.largest[other]

    def close(self) -> None:
        for one, other in combinations(range(TESTERS), 2):
            self._check(one, other)


def play(testers: list[Member], plan: list[tuple[int, int] | None]) -> Books:
    books = Books()
    number_of = {tester.party_id: number for number, tester in enumerate(testers)}
    for step in plan:
        if step is None:
            claim = claim_next_job(lanes=[LANE], worker=this_worker())
            if claim is not None:
                books.serve(number_of[claim.job.party_id], claim.job.price_credits)
                cancel_running_job(claim, steps_done=claim.job.steps, device_ms=1)
        else:
            who, seconds = step
            wish = a_wish(seconds=Fraction(seconds))
            books.order(who, submit_job(actor=testers[who].actor, wish=wish).price_credits)
    books.close()
    return books


@settings(max_examples=20)
@given(plan=plans)
def test_those_who_wait_together_are_given_the_same_within_one_largest_job_of_each(testers, plan):
    undo = transaction.savepoint()
    try:
        play(testers, [*plan, *[None] * len(plan)])
    finally:
        transaction.savepoint_rollback(undo)


def test_everybody_is_served_in_the_end(testers):
    plan: list[Any] = [(number % TESTERS, 1 + number % 8) for number in range(30)]
    books = play(testers, [*plan, *[None] * 30])
    assert books.waiting == [0] * TESTERS


def test_who_orders_one_clip_does_not_wait_behind_anothers_forty(testers):
    for _ in range(40):
        a_job(testers[0])
    play_some = claim_next_job(lanes=[LANE], worker=this_worker())
    assert play_some is not None
    place = standing_of(a_job(testers[1]).id).place
    assert place is not None
    assert place <= 2


def test_who_was_away_does_not_catch_up_on_what_was_not_used(testers):
    """Virtual time moves on without them: coming back gives a turn, not a backlog of turns."""
    for _ in range(10):
        a_job(testers[0])
    for _ in range(8):
        claim = claim_next_job(lanes=[LANE], worker=this_worker())
        assert claim is not None
        cancel_running_job(claim, steps_done=claim.job.steps, device_ms=1)
    for _ in range(6):
        a_job(testers[1])
    served = []
    while claim := claim_next_job(lanes=[LANE], worker=this_worker()):
        served.append(claim.job.party_id)
        cancel_running_job(claim, steps_done=claim.job.steps, device_ms=1)
    assert served.index(testers[0].party_id) <= 1
    assert [*served[:4]].count(testers[0].party_id) == 2


def test_a_lane_that_begins_anew_does_not_outrank_a_long_busy_one(testers: list[Member]) -> None:
    early, late, _third = testers
    for _order in range(6):
        a_job(early)
    for _turn in range(5):
        served = claim_next_job(lanes=[LANE], worker=this_worker())
        assert served is not None
        cancel_running_job(served, steps_done=0, device_ms=None)
    for _order in range(5):
        a_job(late, tier="turbo")

    following = claim_next_job(lanes=["still:turbo", LANE], worker=this_worker())
    assert following is not None
    assert following.job.party_id == early.party_id, "who waited longer is next"
