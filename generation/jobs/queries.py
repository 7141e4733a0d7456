from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch, Q, QuerySet

from accounts.credentials.queries import Actor
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id
from generation.engines.protocol import FailureCode
from generation.jobs.models import Job, JobCondition, JobRequest, JobStyle
from generation.jobs.rules import LIVE, SENT_AGAIN


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands. ``place`` counts from 1; ``eta_s`` is a guess, None without grounds."""

    state: str
    stage: str
    steps_done: int
    steps: int
    place: int | None
    eta_s: int | None
    clip_id: UUID | None


@dataclass(frozen=True, slots=True)
class NeededFile:
    """``below`` is ``media`` or ``models``: under which of the two folders it lies."""

    below: str
    sha256: str
    storage_key: str
    size_bytes: int
    media_type: str

    @property
    def missing(self) -> FailureCode:
        """How a job fails that has it no more."""
        if self.below == "models":
            return FailureCode.STYLE_FOREIGN
        is_clip = self.media_type.startswith("video/")
        return FailureCode.EXTENDED_MISSING if is_clip else FailureCode.REFERENCE_MISSING


def jobs_asked_for(actor: Actor, wish: Mapping[str, Any]) -> QuerySet[Job]:
    """The actor's own, those alone that a valid wish of the API names."""
    mine = jobs_of(actor, state=wish.get("state"))
    if "is_live" in wish:
        live = Q(state__in=LIVE)
        mine = mine.filter(live if wish["is_live"] else ~live)
    named = {"model__slug": "model", "thread_id": "thread", "prompt__icontains": "q"}
    return mine.filter(**{column: wish[name] for column, name in named.items() if name in wish})


def jobs_of(actor: Actor, *, state: str | None = None) -> QuerySet[Job]:
    """The actor's own jobs of this programme, newest first; only those in ``state`` where given."""
    mine = Job.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    if state is not None:
        mine = mine.filter(state=state)
    return (
        mine.select_related("model", "clip")
        .prefetch_related(*parts_of_jobs())
        .order_by("-queue_number")
    )


def parts_of_jobs() -> tuple[Prefetch[str], Prefetch[str]]:
    """Pictures and styles, for any number of jobs by two queries."""
    pictures = JobCondition.objects.select_related("still").order_by("number")
    styles = JobStyle.objects.select_related("style").order_by("number")
    return Prefetch("conditions", queryset=pictures), Prefetch("styles", queryset=styles)


def live_jobs_of(actor: Actor) -> QuerySet[Job]:
    return jobs_of(actor).filter(state__in=LIVE)


def job_for(actor: Actor, shown_id: str) -> Job:
    """The actor's own job by its public id. Raises ``Absent`` for any other."""
    job_id = read_id("job", shown_id)
    job = jobs_of(actor).filter(id=job_id).first() if job_id else None
    if job is None:
        raise Absent
    return job


def job_sent_before(fingerprint: str) -> UUID | None:
    """The newest job that an order with this fingerprint made in the last ten minutes, unless it
    was deleted since.

    The caller holds the fingerprint (``hold_fingerprint``), so that no order is in flight.
    """
    recent = JobRequest.objects.filter(
        fingerprint=fingerprint, at__gt=CoreNow() - SENT_AGAIN, job__deleted_video=None
    )
    found: UUID | None = recent.order_by("-at", "-id").values_list("job_id", flat=True).first()
    return found


def conditions_of(job: Job) -> QuerySet[JobCondition]:
    """The pictures that its clip shows, in the order of the frames."""
    conditions = JobCondition.objects.filter(job=job)
    return conditions.select_related("reference", "still").order_by("number")


def job_styles_of(job: Job) -> list[JobStyle]:
    """The styles that its clip is made with, in the order in which they were named; no query for
    jobs that ``jobs_of`` gave."""
    return sorted(job.styles.all(), key=lambda one: one.number)


def extended_file_of(job: Job) -> tuple[str, str]:
    """Of the clip that the job extends: where its master lies below the media folder, and its
    hash."""
    # By relation, since clips and their files know of jobs and not the other way round.
    rows = Job.objects.filter(id=job.id, extends__renditions__kind="master")
    key, sha256 = rows.values_list(
        "extends__renditions__storage_key", "extends__renditions__sha256"
    ).get()
    return key, sha256


def files_needed(job_id: UUID) -> list[NeededFile]:
    """What its order needs beside the model, and the web has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT below, sha256, storage_key, size, media_type FROM files_needed(%s)"
            " ORDER BY storage_key",
            [job_id],
        )
        return [NeededFile(*row) for row in cursor.fetchall()]


def standing_of(job_id: UUID) -> Standing:
    return standings_of([job_id])[job_id]


def standings_of(job_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """One query for any number of jobs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.job_id, l.state, l.stage, l.steps_done, l.steps, l.place, l.eta_s, l.clip_id"
            " FROM unnest(%s::uuid[]) AS wanted (id), LATERAL live_job(wanted.id) AS l",
            [list(job_ids)],
        )
        return {row[0]: Standing(*row[1:]) for row in cursor.fetchall()}


def lanes_waiting(lanes: list[str], *, device_id: UUID | None = None) -> list[str]:
    """Those of these lanes in which somebody waits, the one whose head began earliest first.

    With a device, only where somebody waits whom it may take: none where it does not serve.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lane FROM unnest(%(lanes)s::text[]) AS lane, LATERAL ("
            " SELECT fair_tag, queue_number FROM generation_job j"
            " WHERE j.lane = lane.lane AND j.state = 'queued'"
            " AND (%(device)s::uuid IS NULL"
            " OR generation_may_take(j.not_on_id, j.lane, %(device)s::uuid))"
            " ORDER BY fair_tag, queue_number LIMIT 1) AS head"
            " WHERE %(device)s::uuid IS NULL OR EXISTS (SELECT FROM generation_device"
            " WHERE id = %(device)s AND state = 'serving')"
            " ORDER BY head.fair_tag, head.queue_number",
            {"lanes": lanes, "device": device_id},
        )
        return [lane for (lane,) in cursor.fetchall()]
