"""The real Celery worker on the default broker: rung, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from chaos.conftest import Crew, wait_until

from accounts.quotas.queries import discrepancies
from generation.clips.models import Clip
from generation.jobs import bell
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.worker.watchdog import watch_leases
from greenroom.broker import broker_url, transport_options
from stage.builders import a_job
from stage.cast import Member

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder broker, also for the bell of this process, which else rings in its memory."""
    url = broker_url(tmp_path / "broker")
    ringing = Celery("ringing", set_as_current=False)
    ringing.config_from_object("greenroom.schedule")
    ringing.conf.broker_transport_options = transport_options()
    monkeypatch.setenv("CELERY_BROKER_URL", url)  # to Celery itself it is more than its settings
    monkeypatch.setattr(bell, "current_app", ringing)
    return url


def test_a_submit_rings_and_a_killed_worker_goes_on_after_its_restart(
    crew: Crew, broker: str, slow_model: Any, tester: Member
) -> None:
    environment = {**crew.environment, "CELERY_BROKER_URL": broker}
    with celery_worker(environment, crew.log) as worker:
        quick = a_job(tester)
        wait_until(lambda: state_of(quick) == State.FINISHED)
        interrupted = a_job(tester, width=1280, height=720, seconds=Fraction(10))
        wait_until(lambda: crew.is_drawing(interrupted))
        os.killpg(worker.pid, signal.SIGKILL)

    wait_until(watch_leases)  # its retry rings; nobody is there to hear
    assert state_of(interrupted) == State.QUEUED
    with celery_worker(environment, crew.log):
        wait_until(lambda: state_of(interrupted) == State.FINISHED)

    outcomes = Attempt.objects.filter(job=interrupted).order_by("number")
    assert list(outcomes.values_list("outcome", "code")) == [
        ("lost", "worker_died"),
        ("finished", ""),
    ]
    assert Clip.objects.count() == 2
    assert discrepancies() == []


@contextmanager
def celery_worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = "-m celery -A greenroom worker -Q render -P prefork -c 1 --loglevel INFO"
    with log.open("a") as output:
        worker = subprocess.Popen(
            [sys.executable, *command.split()],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def state_of(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(id=job.id)
