"""An engine hangs in a step while its heartbeat goes on: its process is killed from outside."""

from __future__ import annotations

import pytest
from chaos.conftest import Crew, wait_until
from chaos.test_workers import job_now

from accounts.quotas.queries import discrepancies
from core.clock import now
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import ATTEMPTS, State
from generation.placement.models import Device
from generation.worker import watchdog
from generation.worker.identity import started_at
from generation.worker.watchdog import watch_leases
from stage.builders import a_job, a_model
from stage.cast import Member
from stage.clock import Clock

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HANGS_FOR_S = 61  # a second more than the least any step is given


def is_in_its_step(job: Job) -> bool:
    found = job_now(job)
    return bool(found.state == State.RUNNING and found.steps_done == 1)


def is_renewed(job: Job) -> bool:
    lease = job_now(job).lease_until
    return bool(lease and lease > now())


def the_attempt(job: Job) -> Attempt:
    return Attempt.objects.get(job=job, ended_at=None)


def test_a_hung_engine_is_killed_tried_on_another_device_and_failed_after_three_attempts(
    crew: Crew, tester: Member, clock: Clock
) -> None:
    a_model()
    hired = {name: crew.hire(device=name, hangs=True) for name in ("cuda:0", "cuda:1")}
    wait_until(lambda: Device.objects.count() == 2)
    job = a_job(tester)
    used = []
    for number in range(ATTEMPTS):
        wait_until(lambda: is_in_its_step(job))
        attempt = the_attempt(job)
        used.append(attempt.device)
        assert attempt.pid == hired[attempt.device]
        clock.advance(seconds=HANGS_FOR_S)
        assert watch_leases() == 1
        wait_until(lambda pid=attempt.pid: started_at(pid) is None)
        crew.pids.remove(attempt.pid)
        if number < ATTEMPTS - 1:
            hired[attempt.device] = crew.hire(device=attempt.device, hangs=True)

    after = job_now(job)
    assert (after.state, after.failure_code) == (State.FAILED, "engine_stalled")
    assert used[0] != used[1] != used[2]
    assert after.reservation.settled == 0
    assert set(Attempt.objects.values_list("code", flat=True)) == {"engine_stalled"}
    assert sorted(Device.objects.values_list("deaths_in_a_row", flat=True)) == [1, 2]
    assert discrepancies() == []


def test_control_without_a_look_at_the_steps_the_heartbeat_keeps_a_hung_job_for_ever(
    crew: Crew, tester: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "_has_stalled", lambda _job: False)
    a_model()
    hung = crew.hire(hangs=True)
    job = a_job(tester)
    for _time in range(3):
        wait_until(lambda: is_in_its_step(job))
        clock.advance(seconds=HANGS_FOR_S)
        wait_until(lambda: is_renewed(job))
        assert watch_leases() == 0
    assert the_attempt(job).pid == hung
    assert started_at(hung)
