from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from accounts.conversations.models import Conversation, Remark
from accounts.conversations.rules import Speaker
from accounts.credentials.queries import Actor
from accounts.people.models import PersonalDetail
from accounts.programmes.models import Role
from accounts.programmes.queries import parties_with_role
from core.errors import Absent
from core.ids import read_id


def conversations_of(actor: Actor) -> QuerySet[Conversation]:
    """The actor's own in this programme; see ``_with_the_last``."""
    return _with_the_last(_conversations(actor).filter(party_id=actor.party_id))


def conversations_to_answer(actor: Actor) -> QuerySet[Conversation]:
    """Everybody else's in the programme, for its managers. ``Absent`` for all others."""
    if not may_answer(actor):
        raise Absent
    return _with_the_last(_conversations(actor).exclude(party_id=actor.party_id))


def conversations_waiting(actor: Actor) -> QuerySet[Conversation]:
    """Of these, those whose last word is the member's. ``Absent`` for who is no manager."""
    others: Any = conversations_to_answer(actor)
    waiting: QuerySet[Conversation] = others.filter(waits=1)
    return waiting


def conversation_for(actor: Actor, shown_id: str) -> Conversation:
    """Its member's, or a manager's of its programme. Raises ``Absent`` for everybody else."""
    conversation_id = read_id("conversation", shown_id)
    may_read = Q() if may_answer(actor) else Q(party_id=actor.party_id)
    found = (
        _with_the_last(_conversations(actor).filter(may_read)).filter(id=conversation_id).first()
        if conversation_id
        else None
    )
    if found is None:
        raise Absent
    return found


def conversation_about(actor: Actor, clip_id: UUID | None, party_id: UUID) -> Conversation | None:
    """The one about this matter, if it was begun. The caller has shown who may read it."""
    return _conversations(actor).filter(clip_id=clip_id, party_id=party_id).first()


def remarks_of(conversation: Conversation) -> QuerySet[Remark]:
    return Remark.objects.filter(conversation=conversation).order_by("at", "id")


def may_answer(actor: Actor) -> bool:
    return Role.MANAGER in actor.roles


def readers_of(programme_id: UUID) -> list[str]:
    """The names of the programme's managers, as far as they have one."""
    managers = parties_with_role(programme_id, Role.MANAGER)
    names = PersonalDetail.objects.filter(person__party_id__in=managers).exclude(display_name="")
    return sorted(names.values_list("display_name", flat=True))


def _conversations(actor: Actor) -> QuerySet[Conversation]:
    return Conversation.objects.filter(programme_id=actor.programme).select_related(
        "party__person__detail"
    )


def _with_the_last(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """``last_at`` and ``last_words`` of the newest remark, ``waits`` 1 where it is the member's."""
    last: Any = Remark.objects.filter(conversation=OuterRef("pk")).order_by("-at", "-id")
    return conversations.annotate(last_role=Subquery(last.values("role")[:1])).annotate(
        last_at=Subquery(last.values("at")[:1]),
        last_words=Subquery(last.values("words")[:1]),
        waits=Case(
            When(Q(last_role=Speaker.MEMBER), then=Value(1)),
            default=Value(0),
            output_field=IntegerField(),
        ),
    )
