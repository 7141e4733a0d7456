"""One clip, from claim to finish: the one place that joins queue, engine and media."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from core.trace import job_id
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import checkpoint_folder, is_ready
from generation.engines.order import Order, OrderRefused
from generation.engines.protocol import Engine, EngineFailure, Stage, Stopped
from generation.engines.registry import engine
from generation.jobs.rules import LEASE, lane_of
from generation.media.failure import MediaFailure
from generation.media.files import FileFacts
from generation.media.recording import Recording, Shape, record
from generation.media.writer import Encoding
from generation.renditions.models import Rendition
from generation.worker.commands import (
    Claim,
    Made,
    cancel_running_job,
    claim_next_job,
    fail_job,
    finish_job,
    hold_running_job,
)
from generation.worker.identity import Worker
from generation.worker.rules import Verdict
from generation.worker.watch import DATABASE_AWAY, LeaseWatch

log = logging.getLogger("greenroom.worker")

WRITE_TRIES = 60
Written = TypeVar("Written")
ENGINES: dict[str, Engine] = {}
"""Engines of this process. Models stay resident between jobs."""


def lanes_served() -> list[str]:
    """Lanes of every model that is ready here; older revisions may still have jobs."""
    return sorted(
        {
            lane_of(model.slug, price.tier)
            for model in VideoModel.objects.prefetch_related("prices")
            if is_ready(model)
            for price in model.prices.all()
        }
    )


def render_next(worker: Worker, *, lease: timedelta = LEASE) -> bool:
    """Claim one job and bring it to an end. False when nobody waits.

    Raises the database's error where the end could not be written: the watchdog then decides.
    """
    claim = claim_next_job(lanes=lanes_served(), worker=worker, lease=lease)
    if claim is None:
        return False
    token = job_id.set(str(claim.job.id))
    try:
        render(claim)
    finally:
        job_id.reset(token)
    return True


def render(claim: Claim) -> None:
    """Render, encode, keep. Whatever happens, the job moves on and the quota is right."""
    folder = attempt_folder(claim)
    spoiled = False
    with LeaseWatch(claim) as watch:
        try:
            runner, recording = _recorded(claim, watch, folder)
        except Stopped:
            _stopped(claim, watch)
            return
        except EngineFailure as failure:
            log.exception("engine_failed", extra={"code": failure.code.value})
            spoiled = failure.spoils_process
            _failed(claim, watch, failure.code.value, may_pass=failure.may_pass)
        except OrderRefused as refused:
            log.exception("order_refused", extra={"code": refused.code})
            _failed(claim, watch, refused.code, may_pass=False)
        except MediaFailure as failure:
            log.exception("media_failed", extra={"code": failure.code.value})
            _failed(claim, watch, failure.code.value, may_pass=False)
        except Exception:  # the outer loop of a worker: one job's fault ends only that job
            log.exception("render_failed")
            _failed(claim, watch, "engine_error", may_pass=True)
        else:
            _finished(claim, watch, runner, recording, folder)
    if spoiled:
        # Memory in pieces or the device gone: a fresh process takes the next job.
        log.error("process_spoiled")
        os._exit(70)


def attempt_folder(claim: Claim) -> Path:
    """Where this attempt's files stand; named by the attempt, so none overwrites another."""
    day = claim.job.queued_at.strftime("%Y/%m")
    return Path(settings.MEDIA_FOLDER) / day / str(claim.attempt_id)


def order_of(claim: Claim, model: VideoModel) -> Order:
    job = claim.job
    return Order(
        prompt=job.prompt,
        seed=job.seed,
        frames=job.frames,
        rate=Fraction(job.rate_num, job.rate_den),
        width=job.width,
        height=job.height,
        steps=job.steps,
        tier=job.tier,
        checkpoint=checkpoint_folder(model.checkpoint),
    )


def _recorded(claim: Claim, watch: LeaseWatch, folder: Path) -> tuple[Engine, Recording]:
    model = claim.job.model
    order = order_of(claim, model)
    runner = _engine_for(model)
    watch.tick(Stage.LOAD, 0, 1)
    runner.load(order.checkpoint)
    shape = Shape(frames=order.frames, width=order.width, height=order.height, rate=order.rate)
    with closing(runner.render(order, watch)) as frames:
        recording = record(frames, folder, shape, Encoding())
    return runner, recording


def _engine_for(model: VideoModel) -> Engine:
    if model.engine not in ENGINES:
        ENGINES[model.engine] = engine(model.engine)
    return ENGINES[model.engine]


def _finished(
    claim: Claim, watch: LeaseWatch, runner: Engine, recording: Recording, folder: Path
) -> None:
    made = _made(claim, recording)
    recipe = _recipe(claim, runner)
    clip = _written(lambda: finish_job(claim, made=made, recipe=recipe, device_ms=watch.device_ms))
    if clip is None:
        log.warning("finished_too_late")
        shutil.rmtree(folder, ignore_errors=True)


def _stopped(claim: Claim, watch: LeaseWatch) -> None:
    spent, done = watch.device_ms, watch.steps_done
    match watch.verdict:
        case Verdict.CANCEL:
            _written(lambda: cancel_running_job(claim, steps_done=done, device_ms=spent))
        case Verdict.HOLD:
            _written(lambda: hold_running_job(claim, device_ms=spent))
        case Verdict.TIME_UP:
            _failed(claim, watch, "time_limit", may_pass=False)
    log.info("render_stopped", extra={"verdict": watch.verdict.value})


def _failed(claim: Claim, watch: LeaseWatch, code: str, *, may_pass: bool) -> None:
    spent = watch.device_ms
    _written(lambda: fail_job(claim, code=code, may_pass=may_pass, device_ms=spent))


def _written(write: Callable[[], Written]) -> Written:
    """Keep at it while the database restarts; the fence makes a repetition harmless.

    After a minute the error is raised: files stay, for the answer alone may have been lost, the
    lease runs out and the watchdog decides.
    """
    for _try in range(WRITE_TRIES):
        try:
            return write()
        except DATABASE_AWAY:
            log.warning("not_written_yet", exc_info=True)
            connection.close()
            time.sleep(1)
    return write()


def _made(claim: Claim, recording: Recording) -> list[Made]:
    root = Path(settings.MEDIA_FOLDER)
    job, sheet = claim.job, recording.sheet_index
    encoding = Encoding().as_dict()
    files: list[tuple[Rendition.Kind, FileFacts, int, int, dict[str, Any]]] = [
        (Rendition.Kind.MASTER, recording.clip, job.width, job.height, encoding),
        (Rendition.Kind.POSTER, recording.poster, job.width, job.height, {"from": "master"}),
        (Rendition.Kind.SPRITE, recording.sheet, job.width, job.height, sheet.as_dict()),
    ]
    return [
        Made(
            kind=kind.value,
            storage_key=str(facts.path.relative_to(root)),
            sha256=facts.sha256,
            size_bytes=facts.size_bytes,
            media_type=facts.media_type,
            width=width,
            height=height,
            recipe=recipe,
        )
        for kind, facts, width, height, recipe in files
    ]


def _recipe(claim: Claim, runner: Engine) -> dict[str, Any]:
    job = claim.job
    return {
        "model": {"slug": job.model.slug, "revision": job.model.revision},
        "tier": job.tier,
        "steps": job.steps,
        "seed": job.seed,
        "frames": job.frames,
        "rate": f"{job.rate_num}/{job.rate_den}",
        "size": [job.width, job.height],
        "generated": [job.generated_width, job.generated_height],
        "engine": runner.describe(),
        "encoding": Encoding().as_dict(),
        "greenroom": _own_version(),
    }


def _own_version() -> str:
    try:
        return version("greenroom")
    except PackageNotFoundError:
        return "uninstalled"
