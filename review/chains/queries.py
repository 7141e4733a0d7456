"""A clip's review as its owner sees it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.credentials.queries import Actor
from generation.clips.models import Clip
from review.submissions.models import Case, Submission
from review.submissions.queries import submissions_of, submissions_of_clip
from review.submissions.rules import State


def submissions_with_pictures(actor: Actor) -> QuerySet[Submission]:
    """The actor's own, newest first, with the files of their clips."""
    return submissions_of(actor).prefetch_related("clip__renditions")


def newest_submission_of(actor: Actor, clip_id: UUID) -> Submission | None:
    """The last time the actor put this clip forward."""
    return submissions_of_clip(actor, clip_id).first()


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
    released = Clip.objects.filter(
        id=OuterRef("chain_id"), releases__isnull=False, releases__ended_at=None
    )
    cases = _standing_cases(clip_ids).filter(owner_id=actor.party_id)
    return list(cases.annotate(is_released=Exists(released)))


def _standing_cases(clip_ids: Iterable[UUID]) -> QuerySet[Case]:
    """The newest of each clip; an appeal that was withdrawn leaves the first decision standing."""
    return (
        Case.objects.filter(chain_id__in=list(clip_ids))
        .exclude(round=2, state=State.WITHDRAWN)
        .select_related("decision__clause")
        .order_by("chain_id", "-queue_number")
        .distinct("chain_id")
    )
