from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.credentials.queries import Actor
from accounts.credentials.rules import SCOPE_ROLES, Scope
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from review.contributions.models import Contribution
from review.contributions.rules import State

CLIPS_OFFERED = 24


def contributions_of(actor: Actor) -> QuerySet[Contribution]:
    """The actor's own in this programme, newest first."""
    return _contributions(actor).filter(party_id=actor.party_id).order_by("-filed_at", "-id")


def contributions_to_triage(actor: Actor) -> QuerySet[Contribution]:
    """What others filed and nobody answered yet, the oldest first, for those who answer."""
    actor.must_act(Scope.CONTRIBUTIONS_TRIAGE)
    return (
        _contributions(actor)
        .filter(state=State.FILED)
        .exclude(party_id=actor.party_id)
        .order_by("filed_at", "id")
    )


def contribution_for(actor: Actor, shown_id: str) -> Contribution:
    """Its maker's; or anybody's of the programme, for those who answer them.

    Raises ``Absent`` for everybody else.
    """
    may_read = Q() if may_triage(actor) else Q(party_id=actor.party_id)
    return _one(_contributions(actor).filter(may_read), shown_id)


def may_triage(actor: Actor) -> bool:
    scope = Scope.CONTRIBUTIONS_TRIAGE
    return scope in actor.scopes and bool(SCOPE_ROLES[scope] & actor.roles)


def clip_to_write_about(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own. Raises ``Absent`` for all others, whoever may look at them."""
    clip_id = read_id("clip", shown_id)
    found = _own_clips(actor).filter(id=clip_id).first() if clip_id else None
    if found is None:
        raise Absent
    return found


def clips_to_write_about(actor: Actor) -> list[Clip]:
    """The actor's newest."""
    return list(_own_clips(actor).order_by("-made_at", "-id")[:CLIPS_OFFERED])


def _own_clips(actor: Actor) -> QuerySet[Clip]:
    return Clip.objects.filter(party_id=actor.party_id, programme_id=actor.programme)


def _contributions(actor: Actor) -> QuerySet[Contribution]:
    return Contribution.objects.filter(programme_id=actor.programme).select_related("rate", "clip")


def _one(contributions: QuerySet[Contribution], shown_id: str) -> Contribution:
    contribution_id = read_id("contribution", shown_id)
    found = contributions.filter(id=contribution_id).first() if contribution_id else None
    if found is None:
        raise Absent
    return found
