from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from review.credits.models import CreditLine
from review.credits.rules import State


def parties_credited(clip_id: UUID) -> set[UUID]:
    """Everybody named on a clip who has not said no: none of them may judge it."""
    lines = CreditLine.objects.filter(clip_id=clip_id).exclude(state=State.DECLINED)
    return set(lines.values_list("party_id", flat=True))


def credit_lines_of(actor: Actor) -> QuerySet[CreditLine]:
    """Where the actor is named, newest first, whoever named them."""
    return _lines(actor).filter(party_id=actor.party_id)


def credit_lines_waiting(actor: Actor) -> QuerySet[CreditLine]:
    """Those that wait for the actor's own word."""
    return credit_lines_of(actor).filter(state=State.PROPOSED)


def credit_lines_answered(actor: Actor) -> QuerySet[CreditLine]:
    return credit_lines_of(actor).exclude(state=State.PROPOSED)


def credit_line_for(actor: Actor, shown_id: str) -> CreditLine:
    """A line that names the actor. Raises ``Absent`` for all others."""
    return _one(credit_lines_of(actor), shown_id)


def credit_line_to_read(actor: Actor, shown_id: str) -> CreditLine:
    """A line that names the actor, or one on a clip of theirs. ``Absent`` for all others."""
    mine = Q(party_id=actor.party_id) | Q(clip__party_id=actor.party_id)
    return _one(_lines(actor).filter(mine), shown_id)


def clip_to_credit(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own. Raises ``Absent`` for all others, whoever may look at them."""
    clip_id = read_id("clip", shown_id)
    mine = Clip.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    found = mine.filter(id=clip_id).first() if clip_id else None
    if found is None:
        raise Absent
    return found


def credit_lines_on(clip_id: UUID) -> QuerySet[CreditLine]:
    """Every line of a clip, with the people they name. The caller has shown who may see them."""
    return _with_people(CreditLine.objects.filter(clip_id=clip_id)).order_by("made_at", "id")


def accepted_lines() -> QuerySet[CreditLine]:
    """For the public: lines somebody said yes to, in the order they were made."""
    accepted = CreditLine.objects.filter(state=State.ACCEPTED)
    return _with_people(accepted).order_by("made_at", "id")


def _lines(actor: Actor) -> QuerySet[CreditLine]:
    """Of the programme that the actor is in; in none, of every one they were in: what is shown of
    their name stays theirs."""
    lines = CreditLine.objects.select_related("clip", "proposed_by__person__detail")
    if actor.programme_id is not None:
        lines = lines.filter(programme_id=actor.programme_id)
    return _with_people(lines).order_by("-made_at", "-id")


def _with_people(lines: QuerySet[CreditLine]) -> QuerySet[CreditLine]:
    return lines.select_related("party__person__detail")


def _one(lines: QuerySet[CreditLine], shown_id: str) -> CreditLine:
    line_id = read_id("credit_line", shown_id)
    found = lines.filter(id=line_id).first() if line_id else None
    if found is None:
        raise Absent
    return found
