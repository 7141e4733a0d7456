"""One process waits for many jobs of a server at once; each may be cancelled by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from accounts.quotas.queries import discrepancies
from core.ids import shown
from generation.clips.models import Clip
from generation.jobs.commands import cancel_job
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.placement.models import Device
from generation.worker import leaving
from generation.worker.identity import Worker, this_worker
from generation.worker.rendering import lanes_served
from generation.worker.serving import serve_slots
from stage.builders import a_job, a_model
from stage.together import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SLOTS = 4
LANE = "far:standard"


@pytest.fixture
def server(serving: Any, described: Any, film_of: Any, order_of: Any, settings: Any) -> Any:
    made = serving("sglang", film_of(order_of(frames=8, rate=Fraction(8), tier="standard")))
    made.polls_needed = 10**6
    folder: Path = described(made.address, "sglang", limits={"silence_s": 600})
    settings.MODELS_FOLDER = folder.parent
    settings.MEDIA_FOLDER = folder.parent.parent / "media"
    return made


@contextmanager
def a_worker_of_slots(worker: Worker) -> Iterator[None]:
    whole = threading.Thread(target=serve_slots, args=[worker], kwargs={"wait_s": 0.3})
    whole.start()
    try:
        yield
    finally:
        leaving.leave()
        whole.join(120)
        leaving._flag[0] = 0
        assert not whole.is_alive()


def state_of(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(id=job.id)


def test_four_jobs_wait_at_once_in_one_process_and_one_is_cancelled_alone(
    server: Any, tester: Any
) -> None:
    a_model("far", engine="remote", checkpoint="sglang")
    worker = this_worker("remote", SLOTS)
    jobs = []
    with a_worker_of_slots(worker):
        for number in range(1, SLOTS + 1):
            jobs.append(a_job(tester, model="far"))
            wait_until(lambda number=number: len(server.running) == number)
        further = a_job(tester, model="far")

        assert {state_of(job) for job in jobs} == {State.RUNNING}
        assert set(Attempt.objects.values_list("pid", flat=True)) == {worker.pid}
        device = Device.objects.get()
        assert (device.name, device.slots) == ("remote", SLOTS)
        assert state_of(further) == State.QUEUED, "there is no fifth slot"

        cancel_job(actor=tester.actor, shown_id=shown("job", jobs[1].id))
        wait_until(lambda: state_of(jobs[1]) == State.CANCELLED)
        wait_until(lambda: state_of(further) == State.RUNNING)
        others = [jobs[0], *jobs[2:], further]
        assert {state_of(job) for job in others} == {State.RUNNING}

        server.polls_needed = 0
        wait_until(lambda: {state_of(job) for job in others} == {State.FINISHED})
    assert Clip.objects.count() == SLOTS
    assert discrepancies() == []


@pytest.mark.django_db
def test_who_computes_takes_no_lane_of_a_server_and_the_other_way_round(server: Any) -> None:
    a_model("far", engine="remote", checkpoint="sglang")
    a_model()
    assert lanes_served(this_worker()) == ["still:standard", "still:turbo"]
    assert lanes_served(this_worker("remote", SLOTS)) == [LANE, "far:turbo"]
