"""Videos as this door sees them: a constant number of queries for a page of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Prefetch, QuerySet
from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from core.errors import Absent, InvalidOrder
from core.ids import shown
from generation.clips.models import Removal
from generation.jobs.following import followed
from generation.jobs.models import DeletedVideo, Job
from generation.jobs.queries import Standing, jobs_of, standings_of
from generation.jobs.rules import State
from greenroom.openai.ids import VIDEO, uuid_of
from review.chains.queries import standing_cases
from review.credits.models import CreditLine
from review.credits.queries import accepted_lines

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one job beyond its row. ``case`` is None for what was never put forward."""

    standing: Standing
    case: Any = None
    lines: Sequence[CreditLine] = field(default=())


def videos_of(actor: Actor) -> QuerySet[Job]:
    """The actor's own of this programme that were not deleted here."""
    standing = Removal.objects.filter(stopped_at=None)
    return (
        jobs_of(actor)
        .filter(deleted_video=None)
        .select_related("reservation", "extends")
        .prefetch_related(
            Prefetch("clip__removals", queryset=standing, to_attr="removals_standing")
        )
    )


def video_for(actor: Actor, video_id: str) -> Job:
    """By the id of this door. Raises ``Absent`` for all others, and for what was deleted."""
    job_id = uuid_of(VIDEO, video_id)
    job = videos_of(actor).filter(id=job_id).first() if job_id else None
    if job is None:
        raise Absent
    return job


# What is asked for only where there is any; ``c`` is the clip and ``j`` the job.
_HAS_MORE = """
    EXISTS (SELECT FROM generation_deletedvideo WHERE job_id = j.id) AS is_deleted,
    EXISTS (SELECT FROM generation_removal WHERE clip_id = c.id AND stopped_at IS NULL) AS is_going,
    EXISTS (SELECT FROM review_case WHERE chain_id = c.id) AS has_case,
    EXISTS (SELECT FROM review_creditline WHERE clip_id = c.id) AS has_lines
"""


def followed_video(actor: Actor, video_id: str) -> tuple[Job, About]:
    """As ``video_for`` and ``about``, for whoever asks again and again: one statement, and further
    ones only for what stands beside the video."""
    job_id = uuid_of(VIDEO, video_id)
    found = followed(actor, shown("job", job_id), further=_HAS_MORE) if job_id else None
    if found is None or found.further["is_deleted"]:
        raise Absent
    job, more = found.job, found.further
    if job.state != State.FINISHED:
        return job, About(found.standing)
    if not more["is_going"]:
        job.clip.removals_standing = []  # type: ignore[attr-defined]  # as prefetched
    if not (more["has_case"] or more["has_lines"]):
        return job, About(found.standing)
    return job, about(actor, [job])[job.id]


def was_deleted(actor: Actor, video_id: str) -> bool:
    """Whether it was the actor's own and they deleted it here."""
    job_id = uuid_of(VIDEO, video_id)
    if job_id is None:
        return False
    gone = DeletedVideo.objects.filter(job_id=job_id)
    return gone.filter(job__party_id=actor.party_id, job__programme_id=actor.programme).exists()


def place_of(actor: Actor, video_id: str) -> int | None:
    """Where a video of the actor's stands in their list, or stood: whoever deletes what they list
    goes on after what they deleted."""
    job_id = uuid_of(VIDEO, video_id)
    if job_id is None:
        return None
    mine = Job.objects.filter(id=job_id, party_id=actor.party_id, programme_id=actor.programme)
    return mine.values_list("queue_number", flat=True).first()


def about(actor: Actor, jobs: Sequence[Job]) -> dict[UUID, About]:
    """By the job's id."""
    standings = standings_of([job.id for job in jobs])
    clip_of = {job.id: job.clip.id for job in jobs if job.state == State.FINISHED}
    clips = list(clip_of.values())
    cases: dict[UUID | None, Any] = {}
    if clips:
        cases.update((case.chain_id, case) for case in standing_cases(actor, clips))
    lines = _lines(clips)
    return {
        job.id: About(
            standings[job.id],
            cases.get(clip_of.get(job.id)),
            lines.get(clip_of.get(job.id), ()),
        )
        for job in jobs
    }


def page(
    rows: QuerySet[Row], wish: dict[str, Any], *, by: str, after: Any
) -> tuple[list[Row], bool]:
    """``by`` is a unique column; ``after`` the value of the row that the page before ended with.
    The rows, and whether there are more."""
    is_descending = wish["order"] == "desc"
    if after is not None:
        rows = rows.filter(**{f"{by}__{'lt' if is_descending else 'gt'}": after})
    found = list(rows.order_by(f"-{by}" if is_descending else by)[: wish["limit"] + 1])
    return found[: wish["limit"]], len(found) > wish["limit"]


def after_unknown() -> InvalidOrder:
    return InvalidOrder(
        "cursor_invalid", _("The list has nothing of this id to go on after."), field="after"
    )


def _lines(clip_ids: Sequence[UUID]) -> dict[UUID | None, list[CreditLine]]:
    found: dict[UUID | None, list[CreditLine]] = {}
    for line in accepted_lines().filter(clip_id__in=clip_ids) if clip_ids else ():
        found.setdefault(line.clip_id, []).append(line)
    return found
