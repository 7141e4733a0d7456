"""One clip, from claim to finish: the one place that joins queue, engine and media."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import connection

from core.errors import is_storage_full
from core.ids import new_id, read_id, shown
from core.trace import job_id
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import checkpoint_folder, is_ready
from generation.engines.order import Condition, Order, OrderRefused, StyleWeight
from generation.engines.protocol import Engine, EngineFailure, FailureCode, Stage, Stopped
from generation.engines.registry import engine
from generation.jobs.folder import RESUME, clear_if_over, job_folder
from generation.jobs.models import Job, JobCondition, JobStyle
from generation.jobs.queries import conditions_of, job_styles_of
from generation.jobs.rules import LEASE, lane_of
from generation.media.failure import MediaCode, MediaFailure
from generation.media.recording import Recorded, Recording, Shape, record
from generation.media.writer import Encoding
from generation.placement.queries import placements_on, warm_model_on
from generation.placement.rules import REMOTE, is_placed, is_remote
from generation.renditions.models import Rendition
from generation.styles.queries import style_file
from generation.worker.carrying import (
    NotCarried,
    fetch_needed,
    forget,
    is_carried,
    own_folder,
    send_made,
)
from generation.worker.commands import (
    Claim,
    Made,
    cancel_running_job,
    claim_next_job,
    fail_job,
    finish_job,
    hold_running_job,
)
from generation.worker.extending import beginning_of
from generation.worker.identity import Worker
from generation.worker.recipe import recipe_of
from generation.worker.rules import SPOILED, StepLimits, Verdict, step_limits
from generation.worker.watch import DATABASE_AWAY, LeaseWatch

log = logging.getLogger("greenroom.worker")

WRITE_TRIES = 60
Written = TypeVar("Written")
ENGINES: dict[str, Engine] = {}
"""Engines of this process. Models stay resident between jobs."""
_RESIDENT: dict[int, Path | None] = {}
_BESIDE = threading.local()
"""Those of a thread that waits beside others: an engine is of one thread alone."""


def lanes_served(worker: Worker | None = None) -> list[str]:
    """Lanes of every model that is ready here; older revisions may still have jobs.

    Of those only what was placed on the worker's device, where something was.
    """
    placed = placements_on(worker.host, worker.device) if worker else []
    return sorted(
        {
            lane_of(model.slug, price.tier)
            for model in VideoModel.objects.prefetch_related("prices")
            if (worker is None or _is_of_its_kind(worker, model)) and is_ready(model)
            for price in model.prices.all()
            if is_placed(placed, model.slug, price.tier)
        }
    )


def _is_of_its_kind(worker: Worker, model: VideoModel) -> bool:
    """Who waits for servers elsewhere computes nothing, and the other way round."""
    return (model.engine == REMOTE) == is_remote(worker.device)


def render_next(worker: Worker, *, lease: timedelta = LEASE) -> bool:
    """Claim one job and bring it to an end. False when nobody waits.

    Raises the database's error where the end could not be written: the watchdog then decides.
    """
    claim = claim_next_job(lanes=lanes_served(worker), worker=worker, lease=lease)
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
    try:
        spoiled = _ended(claim)
    finally:
        _tidy(claim)
    if spoiled:
        # Memory in pieces or the device gone: a fresh process takes the next job.
        log.error("process_spoiled")
        os._exit(SPOILED)


def _ended(claim: Claim) -> bool:
    """Whether this process should take no further job."""
    folder = attempt_folder(claim)
    with LeaseWatch(claim) as watch:
        try:
            runner, recording = _recorded(claim, watch, folder)
            if is_carried():
                send_made(claim, watch, [file for _, file in _files(recording)])
        except Stopped:
            _stopped(claim, watch)
        except NotCarried as failure:
            log.exception("not_carried", extra={"code": failure.code})
            _failed(claim, watch, failure.code, may_pass=failure.may_pass)
        except EngineFailure as failure:
            is_full = is_storage_full(failure)
            code = MediaCode.DISK_FULL if is_full else failure.code
            log.exception("engine_failed", extra={"code": code.value})
            _failed(claim, watch, code.value, may_pass=failure.may_pass and not is_full)
            return failure.spoils_process
        except OrderRefused as refused:
            log.exception("order_refused", extra={"code": refused.code})
            _failed(claim, watch, refused.code, may_pass=False)
        except MediaFailure as failure:
            log.exception("media_failed", extra={"code": failure.code.value})
            _failed(claim, watch, failure.code.value, may_pass=False)
        except Exception as fault:  # the outer loop of a worker: it ends only that job
            log.exception("render_failed")
            # The next attempt would find the same disk, on this machine or another.
            is_full = is_storage_full(fault)
            code = MediaCode.DISK_FULL if is_full else FailureCode.ENGINE_ERROR
            _failed(claim, watch, code.value, may_pass=not is_full)
        else:
            _finished(claim, watch, runner, recording, folder)
    return False


def _tidy(claim: Claim) -> None:
    forget(claim)
    try:
        clear_if_over(claim.job.id)
    except DATABASE_AWAY:
        log.warning("job_folder_not_cleared", exc_info=True)  # the sweep will


def attempt_folder(claim: Claim) -> Path:
    """Where this attempt's files stand on this machine; named by the attempt, so none overwrites
    another."""
    if is_carried():
        return own_folder(claim.attempt_id) / "made"
    return Path(settings.MEDIA_FOLDER) / _kept_below(claim)


def _kept_below(claim: Claim) -> str:
    """That folder's place below the web's media folder; the database says the same."""
    return f"{claim.job.queued_at:%Y/%m}/{claim.attempt_id}"


def order_of(job: Job, pictures: Path | None = None) -> Order:
    """What was ordered, as engines take it; its pictures lie below the media folder where no other
    is named."""
    below = pictures or Path(settings.MEDIA_FOLDER)
    return Order(
        prompt=job.prompt,
        seed=job.seed,
        frames=job.frames,
        rate=Fraction(job.rate_num, job.rate_den),
        width=job.width,
        height=job.height,
        steps=job.steps,
        tier=job.tier,
        checkpoint=checkpoint_folder(job.model.checkpoint),
        conditions=tuple(_condition(one, below) for one in conditions_of(job)),
        styles=tuple(_style(one) for one in job_styles_of(job)),
    )


def shape_of(job: Job) -> Shape:
    """Of the whole file: with the frames of the clip that it extends."""
    return Shape(
        frames=job.whole_frames,
        width=job.width,
        height=job.height,
        rate=Fraction(job.rate_num, job.rate_den),
    )


def _condition(one: JobCondition, below: Path) -> Condition:
    return Condition(
        path=below / one.still.storage_key,
        sha256=one.still.sha256,
        frame=one.frame,
        strength=one.strength,
    )


def _style(one: JobStyle) -> StyleWeight:
    sha256 = one.style.sha256
    return StyleWeight(path=style_file(sha256), sha256=sha256, weight=one.weight)


def _recorded(claim: Claim, watch: LeaseWatch, folder: Path) -> tuple[Engine, Recording]:
    model = claim.job.model
    below = fetch_needed(claim, watch) if is_carried() else Path(settings.MEDIA_FOLDER)
    order, beginning = order_of(claim.job, below), beginning_of(claim.job, below)
    if beginning is not None:
        order = beginning.begun(order, job_folder(claim.job.id))
    runner = _engine_for(model)
    watch.tick(Stage.LOAD, 0, 1)
    _load(model, runner)
    watch.expect(_limits(model, runner, order))
    kept = job_folder(claim.job.id) / RESUME
    with closing(runner.render(order, watch, kept=kept)) as frames:
        # The index lies beside the sheet under whatever address both are served.
        sheet_url = shown("rendition", new_id())
        stream = beginning.followed_by(frames, order, watch.tick) if beginning else frames
        recording = record(stream, folder, shape_of(claim.job), Encoding(), sheet_url=sheet_url)
    try:
        _must_be_what_was_added(model, runner)
    except EngineFailure:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return runner, recording


def _must_be_what_was_added(model: VideoModel, runner: Engine) -> None:
    """Last, since the hashes of large weights are ready about then: no clip is kept whose record
    would name a model that did not make it."""
    if model.weights and runner.describe()["weights"] != model.weights:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, "other files than were added")


def _limits(model: VideoModel, runner: Engine, order: Order) -> StepLimits:
    """A server elsewhere may let the order stand in its queue, as long as a compiler may take."""
    # Not from describe(): that waits for the hashes of the weights, a minute after a load.
    is_slow_to_begin = model.engine == REMOTE or bool(getattr(runner, "is_compiled", False))
    high = runner.estimate(order).seconds_high
    return step_limits(high, order.steps, is_slow_to_begin=is_slow_to_begin)


def _engine_for(model: VideoModel) -> Engine:
    if threading.current_thread() is threading.main_thread():
        mine = ENGINES
    else:
        mine = _BESIDE.__dict__.setdefault("engines", {})
    if model.engine not in mine:
        mine[model.engine] = engine(model.engine)
    return mine[model.engine]


def keep_warm(worker: Worker) -> None:
    """Load the model that is to be warm on this device, unless it is resident: before the first
    claim, and whenever nobody waits after another took its place."""
    slug = warm_model_on(worker.host, worker.device)
    revisions = VideoModel.objects.filter(slug=slug).exclude(state=VideoModel.State.RETIRED)
    model = revisions.order_by("-made_at", "-id").first() if slug else None
    if model is None or not is_ready(model):
        return
    try:
        _load(model, _engine_for(model))
    except EngineFailure as failure:
        log.exception("not_warm", extra={"model": slug, "code": failure.code.value})


def _load(model: VideoModel, runner: Engine) -> None:
    """At once where it is resident; else what was there makes room, and the log says so."""
    folder = checkpoint_folder(model.checkpoint)
    began = time.monotonic()
    runner.load(folder)
    before, _RESIDENT[id(runner)] = _RESIDENT.get(id(runner)), folder
    if before != folder:
        seconds = round(time.monotonic() - began, 3)
        log.info(
            "model_loaded",
            extra={
                "model": model.slug,
                "revision": model.revision,
                "instead_of": str(before or ""),
                "seconds": seconds,
            },
        )


def _finished(
    claim: Claim, watch: LeaseWatch, runner: Engine, recording: Recording, folder: Path
) -> None:
    made = _made(claim, recording)
    clip = _written(
        lambda: finish_job(
            claim,
            made=made,
            # It asks the database too.
            recipe=recipe_of(claim.job, runner.describe(), recording.clip.recipe),
            device_ms=watch.device_ms,
        )
    )
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


def _files(recording: Recording) -> list[tuple[Rendition.Kind, Recorded]]:
    files = [
        (Rendition.Kind.MASTER, recording.clip),
        (Rendition.Kind.POSTER, recording.poster),
        (Rendition.Kind.SPRITE, recording.sheet),
        (Rendition.Kind.INDEX, recording.index),
        (Rendition.Kind.PROXY, recording.proxy),
        (Rendition.Kind.WAVEFORM, recording.waveform),
    ]
    return [(kind, one) for kind, one in files if one is not None]


def _made(claim: Claim, recording: Recording) -> list[Made]:
    """Every file of the recording; the sheet has the id by which its index already names it."""
    ids = {Rendition.Kind.SPRITE: read_id("rendition", recording.sheet_url)}
    return [
        Made(
            kind=kind.value,
            storage_key=f"{_kept_below(claim)}/{one.path.name}",
            sha256=one.facts.sha256,
            size_bytes=one.facts.size_bytes,
            media_type=one.facts.media_type,
            width=one.width,
            height=one.height,
            recipe=one.recipe,
            id=ids.get(kind) or new_id(),
        )
        for kind, one in _files(recording)
    ]
