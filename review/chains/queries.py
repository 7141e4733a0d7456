"""A clip's review as its owner sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, QuerySet

from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from generation.clips.queries import files_there
from review.submissions.models import Case, Submission
from review.submissions.queries import submissions_of, submissions_of_clip
from review.submissions.rules import State

Row = TypeVar("Row", bound=Model)


def submissions_with_pictures(actor: Actor) -> QuerySet[Submission]:
    """The actor's own, newest first, with the files of their clips and ``is_released``."""
    return _released(submissions_of(actor), "clip_id").prefetch_related(*files_there("clip__"))


def submission_to_follow(actor: Actor, shown_id: str) -> Submission:
    """Its owner's, ``is_released`` with it. Raises ``Absent`` for everybody else."""
    submission_id = read_id("submission", shown_id)
    rows = _released(submissions_of(actor), "clip_id")
    found = rows.filter(id=submission_id).first() if submission_id else None
    if found is None:
        raise Absent
    return found


def newest_submission_of(actor: Actor, clip_id: UUID) -> Submission | None:
    """The last time the actor put this clip forward, ``is_released`` with it."""
    return _released(submissions_of_clip(actor, clip_id), "clip_id").first()


def new_version_of(submission: Submission) -> Submission | None:
    """The newest submission that makes the changes this one was sent back for."""
    return submission.answered_by.order_by("-sealed_at", "-id").first()


def last_case_of(clip_id: UUID) -> Case | None:
    """For staff, whom a door has let see the clip: where its review stands."""
    return _standing_cases([clip_id]).first()


def standing_cases(actor: Actor, clip_ids: Iterable[UUID]) -> list[Case]:
    """The case that says where each of the actor's clips stands, ``is_released`` with it.

    One query; clips that were never put forward have none.
    """
    cases = _standing_cases(clip_ids).filter(owner_id=actor.party_id)
    return list(_released(cases, "chain_id"))


def _released(rows: QuerySet[Row], clip: str) -> QuerySet[Row]:
    """With ``is_released``: whether the clip in this column has a live release."""
    # By relation: releases belong to a feature above this one.
    released = Clip.objects.filter(
        id=OuterRef(clip), releases__isnull=False, releases__ended_at=None
    )
    found: Any = rows.annotate(is_released=Exists(released))
    return found  # type: ignore[no-any-return]  # an annotation changes the stubs' type of a row


def _standing_cases(clip_ids: Iterable[UUID]) -> QuerySet[Case]:
    """The newest of each clip; an appeal that was withdrawn leaves the first decision standing."""
    return (
        Case.objects.filter(chain_id__in=list(clip_ids))
        .exclude(round=2, state=State.WITHDRAWN)
        .select_related("decision__clause")
        .order_by("chain_id", "-queue_number")
        .distinct("chain_id")
    )
