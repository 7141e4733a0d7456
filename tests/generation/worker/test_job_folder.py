"""What a job leaves on the disk until it is over: its preview, and what an attempt goes on from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.ids import shown
from generation.engines.protocol import EngineFailure, Estimate, FailureCode, Stage, Watch
from generation.engines.still import StillEngine
from generation.jobs.commands import cancel_job
from generation.jobs.folder import RESUME, has_preview, job_folder
from generation.jobs.models import Job
from generation.jobs.rules import PREVIEW, State
from generation.worker import rendering
from generation.worker import watch as watch_module
from generation.worker.commands import fail_job, hold_running_job
from generation.worker.rendering import render
from generation.worker.watch import LeaseWatch
from generation.worker.watchdog import sweep_stray_files
from stage.builders import a_claim, claim_of
from stage.cast import Member

PICTURE = np.full((8, 12, 3), 120, dtype=np.uint8)


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own connection would not see what this test has not committed."""
    monkeypatch.setattr(LeaseWatch, "__enter__", lambda self: self)
    monkeypatch.setattr(LeaseWatch, "__exit__", lambda *_: None)


def left(job: Job) -> set[str]:
    return {path.name for path in job_folder(job.id).glob("*")}


def leave_something(job: Job) -> None:
    (job_folder(job.id) / RESUME).mkdir(parents=True)
    (job_folder(job.id) / RESUME / "latents.safetensors").write_bytes(b"x")


def test_a_preview_is_wanted_at_once_and_then_every_two_seconds(
    tester: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [100.0]
    monkeypatch.setattr(watch_module.time, "monotonic", lambda: moment[0])
    watch = LeaseWatch(a_claim(tester))
    assert watch.wants_preview()
    watch.preview(PICTURE)
    moment[0] += 1.9
    assert not watch.wants_preview()
    moment[0] += 0.1
    assert watch.wants_preview()


def test_a_preview_is_a_small_picture_that_replaces_the_last_one(tester: Member) -> None:
    claim = a_claim(tester)
    assert not has_preview(claim.job)
    watch = LeaseWatch(claim)
    watch.preview(PICTURE)
    watch.preview(PICTURE // 2)
    path = job_folder(claim.job.id) / PREVIEW
    assert left(claim.job) == {PREVIEW}
    with Image.open(io.BytesIO(path.read_bytes())) as seen:
        assert (seen.format, seen.size) == ("WEBP", (12, 8))
        assert abs(np.asarray(seen.convert("RGB")).astype(int) - 60).max() < 8
    assert has_preview(Job.objects.get(id=claim.job.id))


def test_a_disk_that_takes_no_preview_ends_no_clip(
    tester: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    claim = a_claim(tester)
    monkeypatch.setattr(Path, "mkdir", full)
    LeaseWatch(claim).preview(PICTURE)
    assert not has_preview(Job.objects.get(id=claim.job.id))


class Engine(StillEngine):
    """Leaves something to go on from, shows a preview, and fails as it is told to."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.kept: list[Path | None] = []

    def load(self, checkpoint: Path | None) -> None: ...

    def estimate(self, order: Any) -> Estimate:
        return Estimate(seconds=1, seconds_low=1, seconds_high=1, memory_bytes=0)

    def render(self, order: Any, watch: Watch, *, kept: Path | None = None) -> Any:
        self.kept.append(kept)
        assert kept is not None
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "latents.safetensors").write_bytes(b"x")
        watch.tick(Stage.DENOISE, 1, 2)
        if watch.wants_preview():
            watch.preview(PICTURE)
        raise self.failure
        yield  # a generator, as every engine's


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_failure(code: FailureCode) -> Engine:
        made = Engine(EngineFailure(code))
        monkeypatch.setattr(rendering, "_engine_for", lambda model: made)
        return made

    return with_failure


def test_an_attempt_that_may_pass_leaves_its_folder_to_the_next_one(
    tester: Member, failing: Any
) -> None:
    made = failing(FailureCode.ENGINE_ERROR)
    claim = a_claim(tester)
    render(claim)
    assert Job.objects.get(id=claim.job.id).state == State.QUEUED
    assert left(claim.job) == {RESUME, PREVIEW}
    render(claim_of(claim.job))
    assert made.kept == [job_folder(claim.job.id) / RESUME] * 2
    render(claim_of(claim.job))
    assert Job.objects.get(id=claim.job.id).state == State.FAILED
    assert not job_folder(claim.job.id).exists()


def test_a_job_that_failed_for_good_leaves_nothing(tester: Member, failing: Any) -> None:
    failing(FailureCode.BLACK_CLIP)
    claim = a_claim(tester)
    render(claim)
    assert Job.objects.get(id=claim.job.id).state == State.FAILED
    assert not job_folder(claim.job.id).exists()


def test_a_finished_job_leaves_its_clip_alone(tester: Member) -> None:
    claim = a_claim(tester)
    leave_something(claim.job)
    render(claim)
    assert Job.objects.get(id=claim.job.id).state == State.FINISHED
    assert not job_folder(claim.job.id).exists()
    assert rendering.attempt_folder(claim).is_dir()


def test_the_sweep_clears_after_jobs_that_ended_without_a_worker(tester: Member) -> None:
    held, failed, cancelled, running = (a_claim(tester) for _ in range(4))
    for claim in (held, failed, cancelled, running):
        leave_something(claim.job)
    hold_running_job(held, device_ms=1)
    fail_job(failed, code="black_clip", may_pass=False, device_ms=1)
    fail_job(cancelled, code="engine_error", may_pass=True, device_ms=1)
    cancel_job(actor=tester.actor, shown_id=shown("job", cancelled.job.id))
    sweep_stray_files()
    assert left(held.job) == left(running.job) == {RESUME}
    assert not job_folder(failed.job.id).exists()
    assert not job_folder(cancelled.job.id).exists()
