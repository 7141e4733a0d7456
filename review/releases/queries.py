from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.credentials.queries import Actor
from accounts.rates.rules import ActKind
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from review.credits.queries import accepted_lines
from review.ledger.models import Act
from review.releases.models import Release, ShareLink
from review.releases.rules import digest_of


def clip_to_release(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own. Raises ``Absent`` for all others, whoever may look at them."""
    clip_id = read_id("clip", shown_id)
    mine = Clip.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    found = mine.select_related("job__model").filter(id=clip_id).first() if clip_id else None
    if found is None:
        raise Absent
    return found


def has_earned(clip: Clip) -> bool:
    """Whether a release of this clip has earned its rate already: it does so once."""
    return Act.objects.filter(
        kind=ActKind.RELEASE, subject_id=clip.id, party_id=clip.party_id
    ).exists()


def releases_of(actor: Actor) -> QuerySet[Release]:
    """The actor's own in this programme, those taken down too, newest first, with their links."""
    return (
        Release.objects.filter(owner_id=actor.party_id, programme_id=actor.programme)
        .select_related("clip", "decision__policy")
        .prefetch_related(_links())
        .order_by("-released_at", "-id")
    )


def release_for(actor: Actor, shown_id: str) -> Release:
    """Its owner's. Raises ``Absent`` for everybody else."""
    release_id = read_id("release", shown_id)
    found = releases_of(actor).filter(id=release_id).first() if release_id else None
    if found is None:
        raise Absent
    return found


def links_of(release: Release) -> QuerySet[ShareLink]:
    """Every link that was ever made to it, newest first."""
    return ShareLink.objects.filter(release=release).order_by("-made_at", "-id")


def link_for(actor: Actor, shown_id: str) -> ShareLink:
    """A link to a release of the actor's own. Raises ``Absent`` for everybody else."""
    link_id = read_id("share_link", shown_id)
    mine = ShareLink.objects.filter(
        release__owner_id=actor.party_id, release__programme_id=actor.programme
    )
    found = mine.select_related("release").filter(id=link_id).first() if link_id else None
    if found is None:
        raise Absent
    return found


def last_release_of(clip_id: UUID) -> Release | None:
    """The live one, else the one that was taken down last, with its links.

    The caller has shown who may see it.
    """
    releases = Release.objects.filter(clip_id=clip_id).prefetch_related(_links())
    return releases.order_by("-released_at", "-id").first()


def showcase() -> QuerySet[Release]:
    """What its owners show to everybody, newest first, with all that a card or a page needs."""
    return _public().filter(is_listed=True)


def release_shown(shown_id: str) -> Release:
    """One from the showcase. Raises ``Absent`` for what is not on it, or no longer."""
    release_id = read_id("release", shown_id)
    found = showcase().filter(id=release_id).first() if release_id else None
    if found is None:
        raise Absent
    return found


def release_by_link(secret: str) -> Release:
    """The live release that this secret opens. Every dead link is ``Absent`` alike."""
    digest = digest_of(secret)
    live = _public().filter(links__digest=digest, links__revoked_at=None)
    found = live.first() if digest else None
    if found is None:
        raise Absent
    return found


def _public() -> QuerySet[Release]:
    return (
        Release.objects.filter(ended_at=None)
        .select_related("clip__job__model", "decision__policy", "programme")
        .prefetch_related(
            "clip__renditions", Prefetch("clip__credit_lines", queryset=accepted_lines())
        )
        .order_by("-released_at", "-id")
    )


def _links() -> Prefetch[str, QuerySet[ShareLink], str]:
    return Prefetch("links", queryset=ShareLink.objects.order_by("-made_at", "-id"))
