"""What notices, from outside, that a worker died or hangs, and what clears up after it."""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from core.clock import now
from generation.engines.protocol import FailureCode
from generation.jobs.folder import clear_all_that_are_over
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.media.files import clear_partials
from generation.placement.rules import is_remote
from generation.renditions.models import Rendition
from generation.worker.commands import (
    Claim,
    cancel_running_job,
    hold_running_job,
    lose_attempt,
)
from generation.worker.identity import Worker, end, is_alive

log = logging.getLogger("greenroom.watchdog")

STRAY_AFTER = timedelta(hours=6)


def watch_leases() -> int:
    """Take the jobs of dead workers at once, and those of hung ones when their lease is over or
    their steps stand still.

    A hung worker of this machine is ended first; one elsewhere is kept out by its fence.
    """
    taken = 0
    running = Job.objects.filter(state=State.RUNNING).select_related("credential", "vouched_by")
    for job in running.order_by("id"):
        attempt = Attempt.objects.filter(job=job, fence=job.fence, ended_at=None).first()
        if attempt is None:
            continue
        worker = Worker(attempt.machine, attempt.pid, attempt.pid_started, attempt.device)
        code = _what_happened(job, attempt, worker)
        if code is None:
            continue
        log.warning("attempt_lost", extra={"job": str(job.id), "code": code})
        taken += _take_from(_claim(job, attempt), code)
    return taken


def _claim(job: Job, attempt: Attempt) -> Claim:
    return Claim(job, job.fence, attempt.id, device_id=attempt.on_device_id)


def _what_happened(job: Job, attempt: Attempt, worker: Worker) -> str | None:
    """None where all is well; a hung worker of this machine is ended on the way."""
    if _has_stalled(job):
        # Its heartbeat goes on in a thread of its own: the lease says nothing about the steps.
        if not is_remote(attempt.device) and not _has_moved_on(attempt):
            end(worker)
        return FailureCode.ENGINE_STALLED.value
    if is_alive(worker) is False:
        code = "worker_died"
    elif _lease_is_over(job):
        code = "worker_stalled"
        if not _has_moved_on(attempt):
            end(worker)
    else:
        return None
    return code


def _has_stalled(job: Job) -> bool:
    """No step within the time its worker gave for one. Asked anew, like the lease."""
    mine = Job.objects.filter(id=job.id, fence=job.fence, state=State.RUNNING)
    stepped_at, limit_s = mine.values_list("stepped_at", "step_limit_s").first() or (None, None)
    if stepped_at is None or limit_s is None:
        return False
    return bool(now() - stepped_at > timedelta(seconds=limit_s))


def _lease_is_over(job: Job) -> bool:
    """Asked anew: the rows were read a while ago, and a living worker may have renewed since."""
    return Job.objects.filter(
        id=job.id, fence=job.fence, state=State.RUNNING, lease_until__lt=now()
    ).exists()


def _has_moved_on(attempt: Attempt) -> bool:
    """The process lives and took a later job: it does not hang, it only could not write the end."""
    return Attempt.objects.filter(
        machine=attempt.machine,
        pid=attempt.pid,
        pid_started=attempt.pid_started,
        began_at__gt=attempt.began_at,
    ).exists()


def _take_from(claim: Claim, code: str) -> bool:
    job = claim.job
    if job.cancel_asked_at is not None:
        return cancel_running_job(claim, steps_done=job.steps_done, device_ms=None)
    behind = job.vouched_by or job.credential
    if behind.state in ("revoked", "quarantined"):
        return hold_running_job(claim, device_ms=None)
    return lose_attempt(claim, code=code)


def sweep_stray_files() -> int:
    """Remove folders of attempts that no rendition names, hours after the attempt ended, and those
    of jobs that are over."""
    root = Path(settings.MEDIA_FOLDER)
    if not root.is_dir():
        return 0
    removed = clear_all_that_are_over()
    for month in root.glob("[0-9]*/[0-9]*"):
        clear_partials(month)
        for folder in month.iterdir():
            attempt_id = _read_uuid(folder.name)
            if attempt_id and _is_stray(folder, attempt_id):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _is_stray(folder: Path, attempt_id: UUID) -> bool:
    attempt = Attempt.objects.filter(id=attempt_id).first()
    if attempt and (attempt.ended_at is None or attempt.ended_at > now() - STRAY_AFTER):
        return False
    if attempt is None and folder.stat().st_mtime > (now() - STRAY_AFTER).timestamp():
        return False
    prefix = str(folder.relative_to(settings.MEDIA_FOLDER)) + "/"
    return not Rendition.objects.filter(storage_key__startswith=prefix).exists()


def _read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
