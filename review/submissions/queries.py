from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch, QuerySet

from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from review.submissions.models import Case, Submission
from review.submissions.rules import OPEN, State


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands among the ``waiting`` of its programme; ``place`` counts from 1."""

    place: int
    waiting: int


def submissions_of(actor: Actor) -> QuerySet[Submission]:
    """The actor's own in this programme, newest first, with their cases and what came of them."""
    return (
        Submission.objects.filter(owner_id=actor.party_id, programme_id=actor.programme)
        .select_related("clip__job__model", "policy", "charter", "answers")
        .prefetch_related(_cases())
        .order_by("-sealed_at", "-id")
    )


def submissions_asked_for(actor: Actor, wish: Mapping[str, Any]) -> QuerySet[Submission]:
    """The actor's own, those alone that a valid wish of the API names. Of several cases one will
    do."""
    mine = submissions_of(actor)
    if "clip" in wish:
        mine = mine.filter(clip_id=wish["clip"])
    return mine.filter(cases__state=wish["state"]).distinct() if "state" in wish else mine


def submission_for(actor: Actor, shown_id: str) -> Submission:
    """Its owner's. Raises ``Absent`` for everybody else."""
    submission_id = read_id("submission", shown_id)
    found = submissions_of(actor).filter(id=submission_id).first() if submission_id else None
    if found is None:
        raise Absent
    return found


def submissions_of_clip(actor: Actor, clip_id: UUID) -> QuerySet[Submission]:
    """Every time the actor put this clip forward, newest first."""
    return submissions_of(actor).filter(clip_id=clip_id)


def clip_to_submit(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own. Raises ``Absent`` for all others, whoever may look at them."""
    clip_id = read_id("clip", shown_id)
    mine = Clip.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    found = mine.select_related("job__model").filter(id=clip_id).first() if clip_id else None
    if found is None:
        raise Absent
    return found


def changes_to_answer(clip: Clip) -> Submission | None:
    """The newest submission of the clip's thread that was sent back for changes."""
    asked = Case.objects.filter(
        chain__thread_id=clip.thread_id, state=State.CHANGES_REQUESTED, owner_id=clip.party_id
    ).exclude(chain_id=clip.id)
    newest = asked.select_related("submission").order_by("-closed_at", "-id").first()
    return newest.submission if newest else None


def open_case_of(actor: Actor, master_sha256: str) -> Case | None:
    """The actor's open case about these bytes in this programme."""
    return Case.objects.filter(
        programme_id=actor.programme,
        owner_id=actor.party_id,
        master_sha256=master_sha256,
        state__in=OPEN,
    ).first()


def places_of(case_ids: Iterable[UUID]) -> dict[UUID, Place]:
    """One query for any number of cases; only those that wait have a place."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.case_id, p.place, p.waiting FROM unnest(%s::uuid[]) AS wanted (id),"
            " LATERAL review_place(wanted.id) AS p",
            [list(case_ids)],
        )
        return {row[0]: Place(row[1], row[2]) for row in cursor.fetchall()}


def _cases() -> Prefetch[str, QuerySet[Case], str]:
    # What was decided belongs to features above this one, so it is reached by relation.
    return Prefetch(
        "cases",
        queryset=Case.objects.select_related("decision__clause", "decision__appeal")
        .prefetch_related("decision__evidence")
        .order_by("round"),
    )
