"""Workers are killed, frozen and starved: nothing is lost or doubled, and the sums are right."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chaos.conftest import Crew, wait_until
from django.db import connection

from accounts.quotas.queries import discrepancies
from core.ids import shown
from core.outbox import commands as outbox
from generation.clips.models import Clip
from generation.jobs.commands import cancel_job
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import ATTEMPTS, LIVE, State
from generation.placement.commands import serve_device
from generation.placement.models import Device
from generation.worker.commands import claim_next_job
from generation.worker.identity import started_at, this_worker
from generation.worker.watchdog import sweep_stray_files, watch_leases
from stage.builders import a_job, a_model
from stage.cast import Member
from stage.clock import Clock

pytestmark = [pytest.mark.slow, pytest.mark.race, pytest.mark.django_db(transaction=True)]

WIDE = {"width": 1280, "height": 720, "seconds": Fraction(10)}  # 80 frames: a second or two
SHORT_LEASE_S = 2.0


class Trouble:
    """Three workers, one of them on a machine where only its fence can keep it out.

    Whenever a few more jobs have ended, one worker is killed, or frozen until its lease is over.
    """

    def __init__(self, crew: Crew, chance: random.Random) -> None:
        self.crew = crew
        self.chance = chance
        self.homes = (None, None, "elsewhere")
        self.pids = [self.hired(home) for home in self.homes]
        self.frozen: set[int] = set()
        self.alarms: list[threading.Timer] = []
        self.next_at = 2

    def hired(self, home: str | None) -> int:
        return self.crew.hire(lease_s=SHORT_LEASE_S, machine=home)

    def comes(self) -> None:
        watch_leases()
        for device in Device.objects.filter(state="out"):  # somebody looks after it
            serve_device(device=device)
        self._replace_those_that_were_ended()
        if Job.objects.exclude(state__in=LIVE).count() >= self.next_at:
            self.next_at += self.chance.randint(2, 4)
            self._strike(self.chance.randrange(3))

    def ends(self) -> None:
        for alarm in self.alarms:
            alarm.join()
        for pid in self.pids:
            self.crew.kill(pid)

    def _replace_those_that_were_ended(self) -> None:
        for which, pid in enumerate(self.pids):
            if started_at(pid) is None:
                self.crew.pids.remove(pid)
                self.pids[which] = self.hired(self.homes[which])

    def _strike(self, which: int) -> None:
        pid = self.pids[which]
        if pid in self.frozen:
            return
        if self.chance.random() < 0.3:
            self.crew.signal(pid, signal.SIGSTOP)
            self.frozen.add(pid)
            # From a thread: frozen in mid-transaction, it may hold what this one waits for.
            self.alarms.append(threading.Timer(SHORT_LEASE_S * 1.5, self._wake, [pid]))
            self.alarms[-1].start()
        else:
            self.crew.kill(pid)
            self.pids[which] = self.hired(self.homes[which])

    def _wake(self, pid: int) -> None:
        self.frozen.discard(pid)
        with suppress(ProcessLookupError):  # the watchdog ended it
            os.kill(pid, signal.SIGCONT)


def test_a_hundred_jobs_survive_workers_killed_and_frozen_at_random(
    crew: Crew,
    tester: Member,
    second_tester: Member,
    as_owner: psycopg.Connection[Any],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(100)
    rung = outbox.notify
    monkeypatch.setattr(  # half of the doorbells are lost
        outbox, "notify", lambda payload: rung(payload) if chance.random() < 0.5 else None
    )
    a_model()
    submitted = (
        a_job(chance.choice([tester, second_tester]), seconds=Fraction(6), seed=number)
        for number in range(100)
    )
    list(islice(submitted, 60))  # nobody is there to hear them ring
    trouble = Trouble(crew, chance)
    for _job in submitted:
        trouble.comes()

    wait_until(lambda: not Job.objects.filter(state__in=LIVE), doing=trouble.comes)
    trouble.ends()

    assert Attempt.objects.filter(outcome="lost").count() > 10, "there was hardly any trouble"
    assert_everything_adds_up(as_owner, jobs=100)
    clock.advance(hours=7)
    sweep_stray_files()
    assert_only_what_belongs_to_clips_is_kept(crew)


def test_a_worker_that_wakes_too_late_changes_nothing(
    crew: Crew, slow_model: Any, tester: Member, as_owner: psycopg.Connection[Any], clock: Clock
) -> None:
    sleeper = crew.hire(lease_s=SHORT_LEASE_S, machine="elsewhere")
    job = a_job(tester, **WIDE)
    wait_until(lambda: crew.is_drawing(job))
    crew.signal(sleeper, signal.SIGSTOP)
    wait_until(lambda: State(job_now(job).state) is State.QUEUED, doing=watch_leases)
    crew.hire()
    wait_until(lambda: job_now(job).state == State.FINISHED)

    crew.signal(sleeper, signal.SIGCONT)
    wait_until(lambda: not crew.unfinished())

    second = a_job(tester)  # both are well and look for work
    wait_until(lambda: job_now(second).state == State.FINISHED)
    assert_everything_adds_up(as_owner, jobs=2)
    assert Attempt.objects.get(job=job, outcome="lost").code == "worker_stalled"
    clock.advance(hours=7)
    sweep_stray_files()
    assert_only_what_belongs_to_clips_is_kept(crew)


def test_a_cancelled_job_whose_worker_died_is_cancelled_for_what_was_rendered(
    crew: Crew, slow_model: Any, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    worker = crew.hire()
    job = a_job(tester, **WIDE)
    wait_until(lambda: crew.is_drawing(job))
    crew.signal(worker, signal.SIGSTOP)
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    crew.kill(worker)

    wait_until(watch_leases)

    after = job_now(job)
    assert after.state == State.CANCELLED
    assert after.reservation.settled == job.price_credits * after.steps_done // after.steps
    assert_everything_adds_up(as_owner, jobs=1)


def test_three_deaths_fail_the_job_and_give_everything_back(
    crew: Crew, slow_model: Any, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    job = a_job(tester, **WIDE)
    for _attempt in range(ATTEMPTS):
        worker = crew.hire()
        wait_until(lambda: crew.is_drawing(job))
        crew.kill(worker)
        wait_until(watch_leases)

    after = job_now(job)
    assert (after.state, after.failure_code) == (State.FAILED, "worker_died")
    assert after.reservation.settled == 0
    device = Device.objects.get()
    assert (device.state, device.out_reason) == ("out", "worker_died")
    assert_everything_adds_up(as_owner, jobs=1)
    # The lock of a killed writer goes with its last thread, a moment after it counts as dead.
    wait_until(lambda: not crew.folders(), doing=sweep_stray_files)


def test_a_hung_worker_is_ended_and_its_job_goes_on(
    crew: Crew, slow_model: Any, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    hung = crew.hire(lease_s=SHORT_LEASE_S)
    job = a_job(tester, **WIDE)
    wait_until(lambda: crew.is_drawing(job))
    crew.signal(hung, signal.SIGSTOP)

    wait_until(watch_leases)
    wait_until(lambda: started_at(hung) is None)

    crew.pids.remove(hung)
    crew.hire()
    wait_until(lambda: job_now(job).state == State.FINISHED)
    assert Attempt.objects.get(job=job, outcome="lost").code == "worker_stalled"
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_process_that_got_a_dead_workers_id_is_left_alone(
    tester: Member, model: Any, clock: Clock
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        job = a_job(tester)
        began = started_at(innocent.pid)
        assert began
        dead = replace(this_worker(), pid=innocent.pid, pid_started=began - 1)
        assert claim_next_job(lanes=[job.lane], worker=dead)
        clock.advance(minutes=5)

        assert watch_leases() == 1

        assert job_now(job).state == State.QUEUED
        assert started_at(innocent.pid), "the watchdog killed a stranger"


def test_a_process_frozen_in_mid_transaction_lets_go_of_what_others_wait_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)


def test_a_full_disk_fails_the_job_with_everything_back_and_no_half_file(
    crew: Crew, slow_model: Any, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    crew.hire(most_bytes=20_000)
    job = a_job(tester, **WIDE)

    wait_until(lambda: job_now(job).state not in (State.QUEUED, State.RUNNING))

    after = job_now(job)
    assert (after.state, after.failure_code) == (State.FAILED, "disk_full")
    assert after.reservation.settled == 0
    assert crew.folders() == []
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_workers_memory_stays_flat_over_many_clips(crew: Crew, tester: Member) -> None:
    a_model()
    worker = crew.hire()

    def after(clips: int) -> int:
        for number in range(clips):
            a_job(tester, seed=number, width=256, height=144, seconds=Fraction(3))
        wait_until(lambda: not Job.objects.filter(state__in=LIVE))
        return resident_kb(worker)

    warm = after(10)
    assert after(30) - warm < 8_000
    assert Clip.objects.count() == 40


def job_now(job: Job) -> Job:
    return Job.objects.select_related("reservation").get(id=job.id)


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def assert_everything_adds_up(owner: psycopg.Connection[Any], *, jobs: int) -> None:
    """In raw SQL: all are over, once, with the clips, sums and records that belong to that."""
    assert discrepancies() == []
    for rule, wanted in {
        "SELECT count(*) FROM generation_job": jobs,
        "SELECT count(*) FROM generation_job WHERE state IN ('queued', 'running', 'held')": 0,
        "SELECT count(*) FROM generation_job j WHERE (j.state = 'finished')::int <>"
        " (SELECT count(*) FROM generation_clip c WHERE c.job_id = j.id)": 0,
        "SELECT count(*) FROM generation_job j WHERE (j.state = 'finished')::int <>"
        " (SELECT count(*) FROM generation_attempt a"
        "  WHERE a.job_id = j.id AND a.outcome = 'finished')": 0,
        "SELECT count(*) FROM generation_job j WHERE 1 <> (SELECT count(*) FROM core_auditevent e"
        " WHERE e.subject_id = j.id AND e.kind = 'job.' || j.state)": 0,
        "SELECT count(*) FROM generation_job j WHERE 1 <> (SELECT count(*) FROM core_outboxmessage"
        " m WHERE m.subject_id = j.id AND m.kind = 'job.' || j.state)": 0,
        "SELECT count(*) FROM generation_job WHERE state = 'failed' AND attempts <> 3"
        " AND failure_code LIKE 'worker_%'": 0,
        "SELECT count(*) FROM generation_attempt WHERE ended_at IS NULL": 0,
        "SELECT count(*) FROM accounts_reservation WHERE state = 'held'": 0,
        "SELECT count(*) FROM accounts_budget WHERE reserved <> 0": 0,
        "SELECT count(*) FROM generation_job j JOIN accounts_reservation r ON r.id ="
        " j.reservation_id WHERE j.state <> 'cancelled' AND r.settled <>"
        " CASE j.state WHEN 'finished' THEN j.price_credits ELSE 0 END": 0,
    }.items():
        row = owner.execute(rule).fetchone()
        assert row == (wanted,), rule


def assert_only_what_belongs_to_clips_is_kept(crew: Crew) -> None:
    masters = {
        crew.media / master.storage_key: master.sha256
        for clip in Clip.objects.all()
        for master in clip.renditions.filter(kind="master")
    }
    assert set(crew.folders()) == {path.parent for path in masters}
    for path, sha256 in masters.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
