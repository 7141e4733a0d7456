from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet, Value, When

from accounts.credentials.queries import Actor
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip, HeldBack, Removal, Viewing
from generation.clips.rules import Allows, more_of, viewing_role
from generation.jobs.rules import LIVE


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who is not the owner opened files of a clip: in which role, why, when first."""

    role: str
    why: str
    at: datetime


def clips_of(actor: Actor) -> QuerySet[Clip]:
    """The actor's own clips of this programme, newest first, with their renditions."""
    return _clips(actor).filter(party_id=actor.party_id).order_by("-made_at", "-id")


def clips_asked_for(actor: Actor, wish: Mapping[str, Any]) -> QuerySet[Clip]:
    """The actor's own, those alone that a valid wish of the API names."""
    named = {"job__model__slug": "model", "thread_id": "thread", "job__prompt__icontains": "q"}
    mine = clips_of(actor).filter(
        **{column: wish[name] for column, name in named.items() if name in wish}
    )
    if "review" not in wish:
        return mine
    if wish["review"] == "none":
        return mine.filter(cases__isnull=True)
    # By relation: reviews belong to a floor above this one. One clip may have had several.
    return mine.filter(cases__state=wish["review"]).distinct()


def own_clip_for(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own. Raises ``Absent`` for all others, whoever may look at them."""
    return _one(clips_of(actor), shown_id)


def clip_for(actor: Actor, shown_id: str) -> Clip:
    """Its owner's; or staff's of its programme, while a reason they gave still counts.

    Raises ``Absent`` for everybody else.
    """
    looking = Viewing.objects.filter(
        clip=OuterRef("pk"),
        viewer_id=actor.party_id,
        role__in=actor.roles,
        until__gt=CoreNow(),
    )
    return _one(_clips(actor).filter(Q(party_id=actor.party_id) | Q(Exists(looking))), shown_id)


def clip_to_view(actor: Actor, shown_id: str) -> tuple[Clip, str]:
    """A clip that this member of staff may open after saying why, and the role they look in.

    Raises ``Absent`` for everybody else, and for one's own clip, which needs no reason.
    """
    role = viewing_role(actor.roles)
    if role is None:
        raise Absent
    return _one(_clips(actor).exclude(party_id=actor.party_id), shown_id), role


def seen_by(clip: Clip) -> list[Look]:
    """Who opened files of this clip, oldest first: one line per member and half hour.

    The public, who has no name, is one line for each way in, however often it came.
    """
    # By relation, since renditions know of clips and not the other way round.
    opening = "renditions__openings__"
    rows: Any = (
        Clip.objects.filter(id=clip.id, renditions__openings__isnull=False)
        .annotate(
            when=Case(
                When(**{f"{opening}viewer__isnull": True}, then=Value(0)),
                default=F(f"{opening}half_hour"),
            )
        )
        .values_list(f"{opening}viewer_id", "when", f"{opening}role", f"{opening}why")
        .annotate(first=Min(f"{opening}at"))
        .order_by("first")
    )
    return [Look(role, why, at) for _viewer, _when, role, why, at in rows]


def files_there(through: str = "") -> list[Prefetch[str, Any, str]]:
    """What to prefetch so that a clip has the files that are still there and what becomes of them.

    ``through`` leads from the rows that are read to their clips, as in ``clip__``.
    """
    # By relation, since renditions know of clips and not the other way round.
    files: Any = Clip._meta.get_field("renditions").related_model  # noqa: SLF001  (documented)
    there = files.objects.exclude(clip__removals__done_at__isnull=False)
    return [
        Prefetch(f"{through}renditions", queryset=there),
        Prefetch(
            f"{through}removals",
            queryset=Removal.objects.filter(stopped_at=None),
            to_attr="removals_standing",
        ),
    ]


def allows_of(clip: Clip) -> Allows:
    """Which of its files the owner of a clip gets now; the SQL function ``clip_allows`` says the
    same. No query for clips that ``clips_of`` or ``clip_for`` gave."""
    held: HeldBack | None = getattr(clip, "held_back", None)
    if held is None:
        return Allows.CLIP
    return more_of(Allows(held.allows), Allows(clip.programme.files_before.allows))


def is_extended_now(clip: Clip) -> bool:
    """Whether a job is under way that needs its files, since it extends the clip."""
    return clip.extensions.filter(state__in=LIVE).exists()


def removal_of(clip: Clip) -> Removal | None:
    """The removal of its files that is announced or done; None where they stay."""
    found: list[Removal] | None = getattr(clip, "removals_standing", None)
    if found is None:
        return Removal.objects.filter(clip=clip, stopped_at=None).first()
    return found[0] if found else None


def _clips(actor: Actor) -> QuerySet[Clip]:
    return (
        Clip.objects.filter(programme_id=actor.programme)
        .select_related("job__model", "held_back", "programme__files_before")
        .prefetch_related(*files_there())
    )


def _one(clips: QuerySet[Clip], shown_id: str) -> Clip:
    clip_id = read_id("clip", shown_id)
    clip = clips.filter(id=clip_id).first() if clip_id else None
    if clip is None:
        raise Absent
    return clip
