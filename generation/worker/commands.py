"""Everything a worker writes. Each write names its fence, so a late one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.quotas.commands import settle_reservation
from accounts.quotas.models import Kind
from core.audit.commands import record
from core.clock import now
from core.ids import new_id
from core.outbox.commands import notify, say
from core.states import advance
from generation.clips.models import Clip
from generation.engines.protocol import FailureCode
from generation.jobs.models import Attempt, Job
from generation.jobs.queries import lanes_waiting
from generation.jobs.rules import (
    HELD_FOR,
    LEASE,
    MOVES,
    Move,
    State,
    cost_when_cancelled,
    may_try_again,
)
from generation.placement.commands import announce_device, count_death, count_success
from generation.placement.rules import is_remote
from generation.renditions.models import Rendition
from generation.threads.models import Thread
from generation.worker.identity import Worker, hardware_of
from generation.worker.rules import LOAD_LIMIT_S, Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker: its lease is known by the fence."""

    job: Job
    fence: int
    attempt_id: UUID
    lease: timedelta = LEASE
    device_id: UUID | None = None
    is_shared: bool = False
    """Whether others render in the same process: none of them ends it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file of the clip, already in its place below the media folder."""

    kind: str
    storage_key: str
    sha256: str
    size_bytes: int
    media_type: str
    width: int
    height: int
    recipe: dict[str, Any]
    id: UUID = field(default_factory=new_id)


def claim_next_job(*, lanes: list[str], worker: Worker, lease: timedelta = LEASE) -> Claim | None:
    """Take the fairest waiting job of these lanes; None when nobody waits, or when the worker's
    device does not serve. A job that was just lost on this device is left to another that is well.

    A job whose credential was revoked or quarantined meanwhile is held instead, one that was asked
    to stop before its worker was lost is cancelled, and the next taken.
    """
    device_id = announce(worker, lanes)
    for lane in lanes_waiting(lanes, device_id=device_id):
        while True:
            with transaction.atomic():
                taken = _take_head(lane, lease, device_id)
                if taken is None:
                    break
                job, is_frozen = taken
                if job.cancel_asked_at is not None:
                    _cancel(job)
                    continue
                if is_frozen:
                    _hold(job)
                    continue
                attempt = Attempt.objects.create(
                    id=new_id(),
                    job=job,
                    # Not job.attempts: one that was held is an attempt, but none of the three.
                    number=job.fence,
                    fence=job.fence,
                    machine=worker.machine,
                    pid=worker.pid,
                    pid_started=worker.pid_started,
                    device=worker.device,
                    on_device_id=device_id,
                )
                record("job.claimed", subject=("job", job.id), attempt=job.attempts)
                say("job.claimed", subject=("job", job.id), party=job.party_id)
            return Claim(job, job.fence, attempt.id, lease, device_id, worker.slots > 1)
    return None


def announce(worker: Worker, lanes: list[str]) -> UUID:
    """The worker's device is there and serves these lanes."""
    label, memory_bytes = hardware_of(worker.device)
    return announce_device(
        machine=worker.host,
        name=worker.device,
        lanes=lanes,
        slots=worker.slots,
        label=label,
        memory_bytes=memory_bytes,
    )


def renew_lease(
    claim: Claim,
    *,
    stage: str,
    steps_done: int,
    stepped_s_ago: float | None = None,
    step_limit_s: int | None = None,
) -> Verdict:
    """The heartbeat, and the kill switch: one UPDATE that also asks whether to go on.

    ``stepped_s_ago`` only where it came a step further since the last renewal. No audit line:
    nothing moves.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_job j SET lease_until = core_now() + make_interval(secs => %s),"
            " stage = %s, steps_done = least(greatest(j.steps_done, %s), j.steps),"
            " stepped_at = coalesce(core_now() - make_interval(secs => %s), j.stepped_at),"
            " step_limit_s = coalesce(%s, j.step_limit_s)"
            " FROM accounts_credential c"
            " WHERE j.id = %s AND j.fence = %s AND j.state = 'running'"
            " AND c.id = coalesce(j.vouched_by_id, j.credential_id)"
            " RETURNING j.cancel_asked_at IS NOT NULL, c.state IN ('revoked', 'quarantined')",
            [
                claim.lease.total_seconds(),
                stage,
                steps_done,
                stepped_s_ago,
                step_limit_s,
                claim.job.id,
                claim.fence,
            ],
        )
        row = cursor.fetchone()
    if row is None:
        return Verdict.LOST
    asked_to_stop, is_frozen = row
    # A wish to stop wins: a job that is held would wait for a word that was given already.
    if asked_to_stop:
        return Verdict.CANCEL
    return Verdict.HOLD if is_frozen else Verdict.GOES_ON


def tell_progress(claim: Claim) -> None:
    """For live pages only; nothing is lost when it is."""
    notify({"party": str(claim.job.party_id), "kind": "job", "id": str(claim.job.id)})


def finish_job(
    claim: Claim, *, made: list[Made], recipe: dict[str, Any], device_ms: int
) -> Clip | None:
    """Keep the clip, settle the price, finish the job: one transaction, or None when too late.

    Called again after an answer that was lost on the way, it finds its own clip and gives it back.
    """
    with transaction.atomic():
        moment = now()
        if not _move(claim, Move.FINISH, finished_at=moment, stage="", steps_done=claim.job.steps):
            return Clip.objects.filter(
                job_id=claim.job.id, renditions__storage_key=made[0].storage_key
            ).first()
        _end_attempt(claim, Attempt.Outcome.FINISHED, device_ms=device_ms)
        if claim.device_id:
            count_success(claim.device_id)
        clip = _keep_clip(claim.job, made, recipe)
        _tell(claim.job, "job.finished", clip=str(clip.id), charged=claim.job.price_credits)
        settle_reservation(work_id=claim.job.id, kind=Kind.CREDITS, charge=claim.job.price_credits)
    return clip


def fail_job(claim: Claim, *, code: str, may_pass: bool, device_ms: int) -> bool:
    """The attempt failed: try again where that makes sense, else fail and give everything back."""
    if may_pass and may_try_again(claim.job.attempts):
        return _try_again(claim, Attempt.Outcome.FAILED, code, device_ms)
    with transaction.atomic():
        if not _move(claim, Move.FAIL, finished_at=now(), failure_code=code, stage=""):
            return False
        _end_attempt(claim, Attempt.Outcome.FAILED, code=code, device_ms=device_ms)
        _tell(claim.job, "job.failed", code=code, charged=0)
        settle_reservation(work_id=claim.job.id, kind=Kind.CREDITS, charge=0)
    return True


def cancel_running_job(claim: Claim, *, steps_done: int, device_ms: int | None) -> bool:
    """The owner asked to stop: charge what was rendered, give back the rest."""
    charge = cost_when_cancelled(
        claim.job.price_credits, steps_done=steps_done, steps=claim.job.steps
    )
    with transaction.atomic():
        if not _move(
            claim,
            Move.CANCEL,
            finished_at=now(),
            stage="",
            steps_done=min(steps_done, claim.job.steps),
        ):
            return False
        _end_attempt(claim, Attempt.Outcome.CANCELLED, device_ms=device_ms)
        _tell(claim.job, "job.cancelled", charged=charge)
        settle_reservation(work_id=claim.job.id, kind=Kind.CREDITS, charge=charge)
    return True


def hold_running_job(claim: Claim, *, device_ms: int | None) -> bool:
    """The credential no longer counts: keep the reservation and wait for the owner's word.

    Cancelled where that was asked for meanwhile.
    """
    with transaction.atomic():
        job = _locked(claim)
        if job is not None and job.cancel_asked_at is not None:
            return cancel_running_job(claim, steps_done=job.steps_done, device_ms=device_ms)
        if not _move(
            claim, Move.HOLD, held_until=now() + HELD_FOR, stage="", attempts=claim.job.attempts - 1
        ):
            return False
        _end_attempt(claim, Attempt.Outcome.HELD, device_ms=device_ms)
        _tell(claim.job, "job.held")
    return True


def lose_attempt(claim: Claim, *, code: str) -> bool:
    """A worker died or hung: the next one tries, without anything doubled; after three, fail."""
    if may_try_again(claim.job.attempts):
        return _try_again(claim, Attempt.Outcome.LOST, code, None)
    with transaction.atomic():
        if not _move(claim, Move.FAIL, finished_at=now(), failure_code=code, stage=""):
            return False
        _end_attempt(claim, Attempt.Outcome.LOST, code=code)
        _count(claim, Attempt.Outcome.LOST, code)
        _tell(claim.job, "job.failed", code=code, charged=0)
        settle_reservation(work_id=claim.job.id, kind=Kind.CREDITS, charge=0)
    return True


def _take_head(lane: str, lease: timedelta, device_id: UUID) -> tuple[Job, bool] | None:
    """The head of the lane, taken, and whether its credential was frozen: one statement.

    It holds the device ``FOR SHARE``: whoever drains it waits until this is committed, and where
    they were first, it waits for them and takes nothing.
    """
    found = list(
        Job.objects.raw(
            "WITH here AS MATERIALIZED ("
            " SELECT id FROM generation_device"
            " WHERE id = %(device)s AND state = 'serving' FOR SHARE),"
            # MATERIALIZED: a plan that evaluated the head twice would take two jobs.
            " head AS MATERIALIZED ("
            # Asked once, before the first row of the lane's index is read.
            " SELECT j.id FROM generation_job j WHERE (SELECT id FROM here) IS NOT NULL"
            " AND j.lane = %(lane)s AND j.state = 'queued'"
            " AND generation_may_take(j.not_on_id, j.lane, %(device)s::uuid)"
            " ORDER BY j.fair_tag, j.queue_number LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"
            " UPDATE generation_job j SET state = 'running', attempts = attempts + 1,"
            " fence = fence + 1, lease_until = core_now() + make_interval(secs => %(lease)s),"
            " stage = '', steps_done = 0, stepped_at = core_now(), step_limit_s = %(limit)s"
            " FROM head, accounts_credential c"
            " WHERE j.id = head.id AND c.id = coalesce(j.vouched_by_id, j.credential_id)"
            " RETURNING j.*, c.state IN ('revoked', 'quarantined') AS is_frozen",
            {
                "device": device_id,
                "lane": lane,
                "lease": lease.total_seconds(),
                "limit": LOAD_LIMIT_S,
            },
        )
    )
    return (found[0], found[0].is_frozen) if found else None  # type: ignore[attr-defined]


def _locked(claim: Claim) -> Job | None:
    """The running job as it is now, held until the commit: nobody asks it to stop meanwhile."""
    mine = Job.objects.filter(id=claim.job.id, fence=claim.fence, state=State.RUNNING)
    return mine.select_for_update(no_key=True).first()


def _cancel(job: Job) -> None:
    """Nothing was rendered for it: everything goes back."""
    claim = Claim(job, job.fence, UUID(int=0))
    _move(claim, Move.CANCEL, finished_at=now(), stage="", attempts=job.attempts - 1)
    _tell(job, "job.cancelled", charged=0)
    settle_reservation(work_id=job.id, kind=Kind.CREDITS, charge=0)


def _hold(job: Job) -> None:
    claim = Claim(job, job.fence, UUID(int=0))
    _move(claim, Move.HOLD, held_until=now() + HELD_FOR, attempts=job.attempts - 1)
    _tell(job, "job.held")


def _try_again(claim: Claim, outcome: Attempt.Outcome, code: str, device_ms: int | None) -> bool:
    with transaction.atomic():
        # It keeps its fair tag, so it stands at the head of its lane again.
        if not _move(claim, Move.RETRY, stage="", steps_done=0, not_on=claim.device_id):
            return False
        _end_attempt(claim, outcome, code=code, device_ms=device_ms)
        _count(claim, outcome, code)
        _tell(claim.job, "job.retried", code=code)
    return True


def _count(claim: Claim, outcome: Attempt.Outcome, code: str) -> None:
    """The device's, after the job and before the reservation: see docs/locking.md."""
    if outcome is Attempt.Outcome.LOST and claim.device_id and not _died_already(claim, code):
        count_death(claim.device_id, code)


def _died_already(claim: Claim, code: str) -> bool:
    """A process that waits for several jobs and ends with them died once."""
    mine = Attempt.objects.get(id=claim.attempt_id)
    if not is_remote(mine.device) or code == FailureCode.ENGINE_STALLED:
        return False
    same = Attempt.objects.filter(
        machine=mine.machine, pid=mine.pid, pid_started=mine.pid_started, outcome="lost", code=code
    )
    return same.exclude(id=mine.id).exists()


def _move(claim: Claim, move: Move, **fields: Any) -> bool:
    mine = Job.objects.filter(id=claim.job.id, fence=claim.fence)
    return advance(mine, MOVES, move, seen=State.RUNNING, lease_until=None, **fields)


def _end_attempt(
    claim: Claim, outcome: Attempt.Outcome, *, code: str = "", device_ms: int | None = None
) -> None:
    Attempt.objects.filter(job_id=claim.job.id, fence=claim.fence, ended_at=None).update(
        ended_at=now(), outcome=outcome, code=code, device_ms=device_ms
    )


def _keep_clip(job: Job, made: list[Made], recipe: dict[str, Any]) -> Clip:
    master = made[0]
    # Locked so that two jobs of one thread that finish together get two numbers.
    thread = Thread.objects.select_for_update().get(id=job.thread_id)
    clip = Clip.objects.create(
        job=job,
        programme_id=job.programme_id,
        party_id=job.party_id,
        thread=thread,
        version=Clip.objects.filter(thread=thread).count() + 1,
        master_sha256=master.sha256,
        bytes=master.size_bytes,
        width=job.width,
        height=job.height,
        generated_width=job.generated_width,
        generated_height=job.generated_height,
        frames=job.whole_frames,
        rate_num=job.rate_num,
        rate_den=job.rate_den,
        seed=job.seed,
        prompt=job.prompt,
        recipe=recipe,
    )
    Rendition.objects.bulk_create(
        [
            Rendition(
                id=one.id,
                clip=clip,
                kind=one.kind,
                master_sha256=master.sha256,
                sha256=one.sha256,
                bytes=one.size_bytes,
                media_type=one.media_type,
                width=one.width,
                height=one.height,
                storage_key=one.storage_key,
                recipe=one.recipe,
            )
            for one in made
        ]
    )
    return clip


def _tell(job: Job, kind: str, **facts: Any) -> None:
    record(kind, subject=("job", job.id), **facts)
    say(kind, subject=("job", job.id), party=job.party_id, **facts)
