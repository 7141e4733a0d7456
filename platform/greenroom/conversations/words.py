"""Conversations as pages and programs read them: members by name where they have one and nobody
judges them now, managers by name and role, and never a reviewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.conversations.models import Conversation, Remark
from accounts.conversations.rules import Speaker
from accounts.credentials.queries import Actor
from accounts.people.models import Party
from core.ids import shown
from generation.clips.models import Clip
from greenroom.conversations.queries import clips_of_conversations, judged_now

BEGINNING = 160


@dataclass(frozen=True, slots=True)
class ShownConversation:
    """``name`` is the member's, empty where they have none or are judged now; ``prompt`` the
    clip's, empty for a matter without one."""

    public_id: str
    url: str
    name: str
    who: str
    is_mine: bool
    clip_id: str
    prompt: str
    opened_at: datetime
    last_at: datetime
    last_words: str
    waits: bool
    standing: str


@dataclass(frozen=True, slots=True)
class ShownRemark:
    who: str
    name: str
    is_mine: bool
    words: str
    at: datetime


def shown_conversations(rows: Sequence[Any], reader: Actor) -> list[ShownConversation]:
    """Of rows that carry their last remark. Two queries for any number."""
    clips = clips_of_conversations(row.clip_id for row in rows)
    judged = judged_now(row.clip_id for row in rows)
    return [_conversation(row, reader, clips, judged) for row in rows]


def shown_conversation(row: Any, reader: Actor) -> ShownConversation:
    return shown_conversations([row], reader)[0]


def shown_remarks(
    remarks: Iterable[Remark], conversation: ShownConversation, reader: Actor
) -> list[ShownRemark]:
    return [
        ShownRemark(
            who=_who(remark, conversation, reader),
            name=name_of(remark, conversation),
            is_mine=remark.author_id == reader.party_id,
            words=remark.words,
            at=remark.at,
        )
        for remark in remarks
    ]


def name_of(remark: Remark, conversation: ShownConversation) -> str:
    """Of a manager always, as far as they have one and were not erased."""
    if remark.role == Speaker.MANAGER:
        return _display_name(remark.author)
    return conversation.name


def _conversation(
    row: Any, reader: Actor, clips: dict[UUID, Clip], judged: set[UUID]
) -> ShownConversation:
    public_id = shown("conversation", row.id)
    clip = clips.get(row.clip_id) if row.clip_id else None
    is_mine = row.party_id == reader.party_id
    name = "" if row.clip_id in judged and not is_mine else _display_name(row.party)
    waits = bool(row.waits)
    return ShownConversation(
        public_id=public_id,
        url=reverse("conversation", args=[public_id]),
        name=name,
        who=_member_words(row, reader, is_judged=row.clip_id in judged),
        is_mine=is_mine,
        clip_id=shown("clip", clip.id) if clip else "",
        prompt=clip.prompt if clip else "",
        opened_at=row.opened_at,
        last_at=row.last_at,
        last_words=row.last_words[:BEGINNING],
        waits=waits,
        standing=_standing(waits=waits, is_mine=is_mine),
    )


def _standing(*, waits: bool, is_mine: bool) -> str:
    if waits:
        return _("Waits for an answer of a manager.") if is_mine else _("Waits for your answer.")
    return _("A manager has answered.") if is_mine else _("Answered.")


def _member_words(row: Conversation, reader: Actor, *, is_judged: bool) -> str:
    if row.party_id == reader.party_id:
        return _("You")
    if is_judged:
        return _("The clip's maker, without a name while it is judged")
    return _("The clip's maker") if row.clip_id else _("A member")


def _who(remark: Remark, conversation: ShownConversation, reader: Actor) -> str:
    if remark.author_id == reader.party_id:
        return _("You")
    if remark.role == Speaker.MANAGER:
        return _("Programme manager")
    return conversation.who


def _display_name(party: Party) -> str:
    person = getattr(party, "person", None)
    return person.display_name if person else ""
