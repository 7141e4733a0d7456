"""A job as the Video object. By hand: a poll is this door's commonest request."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from core.ids import shown
from generation.clips.queries import removal_of
from generation.jobs.api import warnings_of
from generation.jobs.models import Job
from generation.jobs.queries import job_styles_of
from generation.jobs.rules import OVER, State
from generation.jobs.words import failure_sentence
from greenroom.openai.ids import FILE, VIDEO, id_here
from greenroom.openai.queries import About, about
from review.credits.words import name_shown
from review.submissions.rules import State as CaseState

STATUS = {
    State.QUEUED: "queued",
    State.HELD: "queued",
    State.RUNNING: "in_progress",
    State.FINISHED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "failed",
}
REVIEW = {
    CaseState.QUEUED: "pending",
    CaseState.CLAIMED: "pending",
    CaseState.APPROVED: "approved",
    CaseState.DECLINED: "rejected",
    CaseState.CHANGES_REQUESTED: "changes_requested",
    CaseState.WITHDRAWN: "withdrawn",
}
LEAST_POLL_MS, MOST_POLL_MS, POLLS_IN_A_JOB = 1_000, 15_000, 20


def video_now(actor: Actor, job: Job) -> dict[str, Any]:
    return video(job, about(actor, [job])[job.id])


def video(job: Job, known: About) -> dict[str, Any]:
    state = State(job.state)
    clip = job.clip if state is State.FINISHED else None
    removal = removal_of(clip) if clip else None
    rate = Fraction(job.rate_num, job.rate_den)
    styles = job_styles_of(job)
    return {
        "id": id_here(VIDEO, job.id),
        "object": "video",
        "status": STATUS[state],
        "progress": progress(state, job.steps_done, job.steps),
        "created_at": _stamp(job.queued_at),
        "completed_at": _stamp(job.finished_at) if clip else None,
        "expires_at": _stamp(removal.due_at) if removal else None,
        "model": job.model.slug,
        "prompt": job.prompt,
        "seconds": seconds_text(job.whole_frames / rate),
        "size": f"{job.width}x{job.height}",
        "remixed_from_video_id": id_here(VIDEO, job.remix_of_id) if job.remix_of_id else None,
        "error": _error(state, job.failure_code),
        "job": shown("job", job.id),
        "clip": shown("clip", clip.id) if clip else None,
        "thread": shown("thread", job.thread_id),
        "extended_from_video_id": id_here(VIDEO, job.extends.job_id) if job.extends else None,
        "queue": _queue(state, known),
        "price_credits": job.price_credits,
        # Not before its end: while an order is being written, its reservation comes last.
        "charged_credits": job.reservation.settled if state in OVER else None,
        "recipe": {
            "seed": job.seed,
            "tier": job.tier,
            "steps": job.steps,
            "frames": job.whole_frames,
            "frame_rate": f"{rate.numerator}/{rate.denominator}",
            "revision": job.model.revision,
            "styles": [{"style": one.style.slug, "weight": one.weight} for one in styles],
            "conditions": [_condition(one) for one in job.conditions.all()],
        },
        "review": _review(known.case) if clip else None,
        "credit_lines": [{"role": line.role, "name": name_shown(line)} for line in known.lines],
        "warnings": warnings_of(job),
    }


def poll_after_ms(known: About) -> int | None:
    """When it is worth asking again; None where there is nothing to wait for.

    SDKs read it once, from the first answer, so it follows the whole wait.
    """
    if State(known.standing.state) in OVER:
        return None
    if known.standing.eta_s is None:
        return LEAST_POLL_MS
    wanted = known.standing.eta_s * 1_000 // POLLS_IN_A_JOB
    return min(max(wanted, LEAST_POLL_MS), MOST_POLL_MS)


def progress(state: State, steps_done: int, steps: int) -> int:
    """0 while it waits, 100 when it is rendered, in between never either."""
    if state is State.FINISHED:
        return 100
    if state in (State.QUEUED, State.HELD):
        return 0
    return min(99, max(1 if state is State.RUNNING else 0, 100 * steps_done // steps))


def seconds_text(seconds: Fraction) -> str:
    """``"4"``, or with at most six places: SDKs read text."""
    if seconds.denominator == 1:
        return str(seconds.numerator)
    return f"{float(seconds):.6f}".rstrip("0").rstrip(".")


def _error(state: State, code: str) -> dict[str, str] | None:
    if state is State.CANCELLED:
        return {"code": "cancelled", "message": _("It was cancelled.")}
    if state is State.FAILED:
        return {"code": code, "message": failure_sentence(code)}
    return None


def _queue(state: State, known: About) -> dict[str, int | None] | None:
    if state in OVER:
        return None
    return {"place": known.standing.place, "eta_s": known.standing.eta_s}


def _condition(one: Any) -> dict[str, Any]:
    return {
        "reference": id_here(FILE, one.reference_id),
        "frame": one.frame,
        "reference_frame": one.still.frame,
        "strength": one.strength,
    }


def _review(case: Any) -> dict[str, Any]:
    if case is None:
        return {"state": "not_submitted", "case": None, "reason": None, "appeal_url": None}
    state = "released" if case.is_released else REVIEW[CaseState(case.state)]
    decision = getattr(case, "decision", None)
    is_appealable = case.state == CaseState.DECLINED and case.round == 1
    page = reverse("submission", args=[shown("submission", case.submission_id)])
    return {
        "state": state,
        "case": shown("case", case.id),
        "reason": decision.reason or None if decision else None,
        "appeal_url": f"{settings.PUBLIC_ADDRESS}{page}" if is_appealable else None,
    }


def _stamp(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
