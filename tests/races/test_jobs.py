"""One job, wanted by many: who claims it, who ends it."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from accounts.quotas.models import Reservation
from accounts.quotas.queries import discrepancies
from core.ids import new_id, shown
from generation.clips.models import Clip
from generation.jobs import commands as job_commands
from generation.jobs.commands import cancel_job, submit_job
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.worker.commands import (
    Claim,
    Made,
    cancel_running_job,
    claim_next_job,
    finish_job,
    lose_attempt,
)
from generation.worker.identity import Worker
from stage.builders import a_claim, a_job, a_wish, claim_of

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLAIMERS = 32
ROUNDS = 12


def worker(number: int) -> Worker:
    return Worker(machine="elsewhere", pid=number, pid_started=number)


def some_files() -> list[Made]:
    """What ``finish_job`` is told of files; it never opens them."""
    sha = "ab" * 32
    return [
        Made(kind, f"{new_id()}/{kind}", sha, 10, media_type, 128, 96, {})
        for kind, media_type in (("master", "video/mp4"), ("poster", "image/webp"))
    ]


def test_of_thirty_two_claimers_one_gets_the_job(tester, at_once):
    job = a_job(tester)
    outcomes = at_once(
        CLAIMERS, lambda number: claim_next_job(lanes=[job.lane], worker=worker(number))
    )
    claims = [outcome for outcome in outcomes if outcome is not None]
    assert len(claims) == 1, claims
    assert isinstance(claims[0], Claim)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.fence) == ("running", 1, 1)
    assert Attempt.objects.filter(job=job).count() == 1


def test_thirty_two_claimers_take_ten_jobs_once_each(tester, at_once):
    jobs = [a_job(tester) for _ in range(10)]

    def take_all(number: int) -> list[Any]:
        taken = []
        while claim := claim_next_job(lanes=[jobs[0].lane], worker=worker(number)):
            taken.append(claim.job.id)
        return taken

    taken = [job for answer in at_once(CLAIMERS, take_all) for job in answer]
    assert sorted(taken) == sorted(job.id for job in jobs)


def _submit_at_once(tester, at_once) -> list[tuple[int, int]]:
    actor = tester.actor
    at_once(8, lambda _number: submit_job(actor=actor, wish=a_wish()))
    return sorted(Job.objects.values_list("fair_tag", "fair_end"))


def test_a_flood_sent_at_once_stands_in_line_one_behind_the_other(
    tester, second_tester, model, at_once
):
    tags = _submit_at_once(tester, at_once)
    assert len(tags) == 8
    assert all(end == begin for (_, end), (begin, _) in pairwise(tags)), tags
    other = submit_job(actor=second_tester.actor, wish=a_wish())
    assert Job.objects.filter(fair_tag__lte=other.fair_tag).exclude(id=other.id).count() == 1


def test_control_without_the_place_in_line_a_flood_stands_at_the_head_together(
    tester, model, at_once, monkeypatch
):
    all_have_looked = threading.Barrier(8)
    read = job_commands._fair_tag

    def together(lane: str, party_id: UUID) -> int:
        tag = read(lane, party_id)
        all_have_looked.wait(60)
        return tag

    monkeypatch.setattr(job_commands, "_stand_in_line", lambda _lane, _party_id: None)
    monkeypatch.setattr(job_commands, "_fair_tag", together)
    assert len(set(_submit_at_once(tester, at_once))) == 1


def test_control_who_looks_first_and_takes_then_takes_it_with_others(tester, at_once):
    job = a_job(tester)
    all_have_looked = threading.Barrier(CLAIMERS)

    def naive(_number: int) -> bool:
        found = Job.objects.get(id=job.id)
        all_have_looked.wait(60)
        if found.state != State.QUEUED:
            return False
        Job.objects.filter(id=job.id).update(
            state=State.RUNNING, fence=found.fence + 1, lease_until=found.queued_at
        )
        return True

    assert at_once(CLAIMERS, naive).count(True) > 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_job_that_is_cancelled_and_finished_at_once_ends_exactly_one_way(tester, at_once, round_):
    claim = a_claim(tester, seconds=8)

    def end(number: int) -> Any:
        if number == round_ % 2:
            return finish_job(claim, made=some_files(), recipe={}, device_ms=5)
        return cancel_running_job(claim, steps_done=1, device_ms=5)

    outcomes = at_once(2, end)
    assert sum(bool(outcome) for outcome in outcomes) == 1, outcomes
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    assert_ended_once(claim.job)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_late_worker_and_the_watchdog_do_not_both_decide(tester, at_once, round_):
    claim = a_claim(tester)

    def end(number: int) -> Any:
        if number == round_ % 2:
            return finish_job(claim, made=some_files(), recipe={}, device_ms=5)
        return lose_attempt(claim, code="worker_stalled")

    outcomes = at_once(2, end)
    assert sum(bool(outcome) for outcome in outcomes) == 1, outcomes
    job = Job.objects.get(id=claim.job.id)
    assert job.state in {State.FINISHED, State.QUEUED}
    assert Clip.objects.filter(job=job).exists() == (job.state == State.FINISHED)
    assert discrepancies() == []


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_waiting_job_is_cancelled_or_claimed_and_a_claimed_one_hears_of_it(
    tester, at_once, round_
):
    job, actor = a_job(tester), tester.actor

    def one(number: int) -> Any:
        if number == round_ % 2:
            return claim_next_job(lanes=[job.lane], worker=worker(1))
        return cancel_job(actor=actor, shown_id=shown("job", job.id))

    outcomes = at_once(2, one)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    job.refresh_from_db()
    claimed = any(isinstance(outcome, Claim) for outcome in outcomes)
    if claimed:
        assert job.state == State.RUNNING
        assert job.cancel_asked_at is not None, "the wish to cancel was lost"
    else:
        assert job.state == State.CANCELLED
        assert Reservation.objects.get(work_id=job.id).state == "released"
    assert discrepancies() == []


def test_control_without_the_state_in_the_where_and_the_trigger_both_enders_believe_they_won(
    tester, database, at_once
):
    job = claim_of(a_job(tester)).job
    both_have_looked = threading.Barrier(2)

    def naive(number: int) -> bool:
        with database.connect("postgres") as careless:
            careless.execute("SET session_replication_role = replica")
            seen = careless.execute(
                "SELECT state FROM generation_job WHERE id = %s", [job.id]
            ).fetchone()
            both_have_looked.wait(60)
            careless.execute(
                "UPDATE generation_job SET state = %s, lease_until = NULL,"
                " finished_at = core_now() WHERE id = %s",
                [("finished", "cancelled")[number], job.id],
            )
            return seen == ("running",)

    assert at_once(2, naive) == [True, True]


def assert_ended_once(job: Job) -> None:
    job = Job.objects.get(id=job.id)
    held = Reservation.objects.get(work_id=job.id)
    has_clip = Clip.objects.filter(job=job).exists()
    if job.state == State.FINISHED:
        assert (has_clip, held.settled) == (True, job.price_credits)
    else:
        assert (job.state, has_clip) == (State.CANCELLED, False)
        assert held.settled == job.price_credits * 1 // job.steps
    assert Attempt.objects.get(job=job).ended_at is not None
    assert discrepancies() == []
