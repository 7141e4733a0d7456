from __future__ import annotations

from fractions import Fraction
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id
from generation.references.models import Reference, ReferenceStill


def references_of(programme_id: UUID, party_id: UUID) -> QuerySet[Reference]:
    """A party's own of a programme that can still be used, newest first, with their stills."""
    mine = Reference.objects.filter(programme_id=programme_id, party_id=party_id, removed_at=None)
    return mine.prefetch_related("stills").order_by("-made_at", "-id")


def own_references(actor: Actor) -> QuerySet[Reference]:
    return references_of(actor.programme, actor.party_id)


def reference_for(actor: Actor, shown_id: str) -> Reference:
    """The actor's own, as long as it stands. Raises ``Absent`` for any other."""
    reference = reference_named(actor.programme, actor.party_id, shown_id)
    if reference is None:
        raise Absent
    return reference


def was_own(actor: Actor, shown_id: str) -> UUID | None:
    """The id of one that is the actor's own, or was until it was removed."""
    reference_id = read_id("reference", shown_id)
    mine = Reference.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    is_mine = reference_id is not None and mine.filter(id=reference_id).exists()
    return reference_id if is_mine else None


def reference_named(programme_id: UUID, party_id: UUID, shown_id: str) -> Reference | None:
    reference_id = read_id("reference", shown_id)
    mine = references_of(programme_id, party_id)
    return mine.filter(id=reference_id).first() if reference_id else None


def kept_by(programme_id: UUID, party_id: UUID) -> tuple[int, int]:
    """How many references of a party have files here, and how many bytes."""
    found = Reference.objects.filter(
        programme_id=programme_id, party_id=party_id, cleared_at=None
    ).aggregate(count=Count("id"), size=Sum("bytes", default=0))
    return found["count"], found["size"]


def frame_at(reference: Reference, moment: Fraction | None) -> int | None:
    """Which frame of it is shown at this second, at its very end (``moment`` None) the last; None
    beyond. A picture shows its one at zero."""
    if moment is None:
        return reference.frames - 1
    at = moment * Fraction(reference.rate_num, reference.rate_den)
    if moment < 0 or at > reference.frames or (moment and reference.frames == 1):
        return None
    return min(int(at), reference.frames - 1)


def still_of(reference: Reference, frame: int) -> ReferenceStill | None:
    return next((still for still in reference.stills.all() if still.frame == frame), None)


def is_needed() -> Q:
    """Whether a job that is under way shows it."""
    # By relation, since jobs know of references and not the other way round.
    return Q(conditions__job__state__in=["queued", "running", "held"])
