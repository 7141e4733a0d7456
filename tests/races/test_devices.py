"""A device is drained while its worker claims; deaths and claims meet."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from races.test_jobs import some_files

from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.placement.commands import announce_device, drain_device
from generation.placement.models import Device
from generation.placement.rules import DEATHS
from generation.worker.commands import Claim, claim_next_job, finish_job, lose_attempt
from generation.worker.identity import Worker
from stage.builders import a_job
from stage.cast import Member
from stage.database import Database

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

LANE = "still:standard"
ROUNDS = 8
CLAIMERS = 8


def worker(number: int) -> Worker:
    return Worker(machine="elsewhere", pid=number, pid_started=number)


def the_device() -> Device:
    announce_device(machine="elsewhere", name="cpu", lanes=[LANE])
    return Device.objects.get()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_once_a_drain_is_committed_nothing_is_claimed(
    tester: Member, at_once: Any, round_: int
) -> None:
    for _number in range(CLAIMERS * 2):
        a_job(tester)
    device = the_device()
    running_at_the_commit: list[int] = []

    def deed(number: int) -> Any:
        if number == 0:
            drain_device(device=device)
            running_at_the_commit.append(Attempt.objects.count())
            return None
        return [claim_next_job(lanes=[LANE], worker=worker(number)) for _time in range(2)]

    outcomes = at_once(CLAIMERS, deed)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    assert Attempt.objects.count() == running_at_the_commit[0]
    assert Job.objects.filter(state=State.RUNNING).count() == running_at_the_commit[0]
    assert claim_next_job(lanes=[LANE], worker=worker(1)) is None


def test_control_who_only_looks_at_the_device_claims_after_its_drain(
    tester: Member, database: Database, at_once: Any
) -> None:
    job, device = a_job(tester), the_device()
    has_looked, is_drained = threading.Event(), threading.Event()

    def deed(number: int) -> Any:
        if number == 0:
            assert has_looked.wait(60)
            drain_device(device=device)
            is_drained.set()
            return None
        with database.connect("postgres") as careless:
            seen = careless.execute("SELECT state FROM generation_device").fetchone()
            has_looked.set()
            assert is_drained.wait(60)
            careless.execute(
                "UPDATE generation_job SET state = 'running', fence = fence + 1,"
                " lease_until = core_now() WHERE id = %s",
                [job.id],
            )
            return seen

    assert at_once(2, deed)[1] == ("serving",)
    assert Device.objects.get().state == "draining"
    assert Job.objects.get(id=job.id).state == State.RUNNING


def test_an_attempt_that_is_begun_holds_its_device_until_the_commit(
    tester: Member, database: Database, at_once: Any
) -> None:
    """And the law itself: an attempt is refused where the drain was first."""
    a_job(tester)
    claim = claim_next_job(lanes=[LANE], worker=worker(1))
    assert claim
    lose_attempt(claim, code="worker_died")
    device = Device.objects.get()
    drain_device(device=device)
    copy = (
        "INSERT INTO generation_attempt SELECT n.* FROM generation_attempt a,"
        " jsonb_populate_record(NULL::generation_attempt, to_jsonb(a) || jsonb_build_object("
        " 'id', core_new_id(), 'number', 9, 'fence', 9)) n"
    )
    with database.connect("postgres") as careless, pytest.raises(psycopg.Error) as refused:
        careless.execute(copy)
    assert refused.value.diag.constraint_name == "an_attempt_begins_on_a_serving_device"


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_deaths_finishes_and_claims_of_one_device_meet_without_a_deadlock(
    tester: Member, at_once: Any, round_: int
) -> None:
    """All jobs are one party's, so all wait for the same budgets as well."""
    for _number in range(CLAIMERS * 2):
        a_job(tester)
    claims: list[Claim] = []
    for number in range(CLAIMERS - 2):
        claim = claim_next_job(lanes=[LANE], worker=worker(number))
        assert claim
        claims.append(claim)
    Job.objects.filter(state=State.RUNNING).update(attempts=3)  # a loss ends them
    for claim in claims:
        claim.job.attempts = 3

    def deed(number: int) -> Any:
        if number >= len(claims):
            return claim_next_job(lanes=[LANE], worker=worker(100 + number))
        if number % 2:
            return finish_job(claims[number], made=some_files(), recipe={}, device_ms=5)
        return lose_attempt(claims[number], code="worker_died")

    outcomes = at_once(CLAIMERS, deed)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    device = Device.objects.get()
    assert (device.state == "out") == (device.deaths_in_a_row >= DEATHS)
    assert Attempt.objects.filter(outcome="finished").count() == len(claims) // 2


def test_of_many_deaths_at_once_none_is_missed_and_one_takes_it_out(
    tester: Member, at_once: Any
) -> None:
    for _number in range(DEATHS):
        a_job(tester)
    claims = [claim_next_job(lanes=[LANE], worker=worker(n)) for n in range(DEATHS)]
    outcomes = at_once(
        DEATHS,
        lambda number: lose_attempt(claims[number], code="engine_stalled"),  # type: ignore[arg-type]
    )
    assert outcomes == [True] * DEATHS
    device = Device.objects.get()
    assert (device.state, device.deaths_in_a_row) == ("out", DEATHS)
