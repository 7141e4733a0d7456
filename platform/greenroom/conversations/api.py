"""Conversations over the native API: with the programme's managers, or for them, with members."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.conversations.commands import write_remark
from accounts.conversations.models import Remark
from accounts.conversations.queries import (
    conversation_for,
    conversations_of,
    conversations_to_answer,
    remarks_of,
)
from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, operation, page_of
from core.ids import shown
from greenroom.conversations.queries import clip_to_talk_about
from greenroom.conversations.words import name_of, shown_conversation, shown_conversations


class ConversationShown(Shape):
    id = PublicId("conversation")
    url = Text()
    member = Text(help_text=_("The member's name; empty where they have none or are judged now."))
    clip = PublicId("clip", allow_null=True, help_text=_("Null: about anything."))
    waits = serializers.BooleanField(help_text=_("Whether the last word is the member's."))
    opened_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class RemarkShown(Shape):
    id = PublicId("remark")
    conversation = PublicId("conversation")
    url = Text(help_text=_("The conversation."))
    role = Text(help_text=_("“member”, or “manager” for an answer of the programme's people."))
    name = Text(help_text=_("Whoever wrote it; empty where they have no name or were erased."))
    words = Text()
    at = serializers.DateTimeField()


class RemarkWish(Shape):
    words = Text(help_text=_("1 to 4,000 characters of plain text. Never changed afterwards."))


class FirstRemarkWish(RemarkWish):
    clip = Text(
        required=False,
        help_text=_("A clip of yours; for managers any of the programme. Without it, anything."),
    )


class Conversations(Endpoint):
    @operation(
        scope=Scope.CONVERSATIONS_READ,
        summary=_("Your conversations"),
        words=_("With the programme's managers, the one with the newest message first."),
        query=PageWish,
        answers=ConversationShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        mine: Any = conversations_of(self.actor)
        page = page_of(mine, self.asked_in_query(), by=("-last_at", "-id"))
        return self.answer(page.shown(_shown(page.rows, self.actor)))

    @operation(
        scope=Scope.CONVERSATIONS_WRITE,
        summary=_("Talk to a person"),
        words=_(
            "Begins the conversation about this matter, or goes on with it: there is one for each"
            " clip and one for everything else. At most 60 messages in an hour."
        ),
        asks=FirstRemarkWish,
        answers=RemarkShown,
        status=201,
        is_repeatable=True,
        refuses=(404, 409, 429),
        example={"words": "Whom do I ask about the shoot in May?"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        clip = clip_to_talk_about(self.actor, asked["clip"]) if asked.get("clip") else None
        remark = write_remark(
            actor=self.actor,
            words=asked["words"],
            clip_id=clip.id if clip else None,
            party_id=clip.party_id if clip else None,
            once=self.once(),
            answer=self._kept,
        )
        return self.answer(_remark(remark, self.actor))

    def _kept(self, remark: Remark) -> tuple[int, Any]:
        return self.operation.status, _remark(remark, self.actor)


class ToAnswer(Endpoint):
    @operation(
        scope=Scope.CONVERSATIONS_READ,
        summary=_("Conversations of the programme's members"),
        words=_("For its managers; those that wait for an answer first."),
        query=PageWish,
        answers=ConversationShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        others: Any = conversations_to_answer(self.actor)
        page = page_of(others, self.asked_in_query(), by=("-waits", "-last_at", "-id"))
        return self.answer(page.shown(_shown(page.rows, self.actor)))


class OneConversation(Endpoint):
    @operation(
        scope=Scope.CONVERSATIONS_READ,
        summary=_("One conversation"),
        answers=ConversationShown,
        refuses=(404,),
    )
    def get(self, request: Request, conversation: str) -> Response:
        found = conversation_for(self.actor, conversation)
        return self.answer(_shown([found], self.actor)[0])


class Remarks(Endpoint):
    @operation(
        scope=Scope.CONVERSATIONS_READ,
        summary=_("What was said in a conversation"),
        words=_("Oldest first."),
        query=PageWish,
        answers=RemarkShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, conversation: str) -> Response:
        found = conversation_for(self.actor, conversation)
        said = remarks_of(found).select_related("author__person__detail")
        page = page_of(said, self.asked_in_query(), by=("at", "id"))
        about = shown_conversation(found, self.actor)
        return self.answer(page.shown([_said(remark, about) for remark in page.rows]))

    @operation(
        scope=Scope.CONVERSATIONS_WRITE,
        summary=_("Write in a conversation"),
        words=_("Its member and the programme's managers read it. It is never changed."),
        asks=RemarkWish,
        answers=RemarkShown,
        status=201,
        is_repeatable=True,
        refuses=(404, 429),
        example={"words": "We looked at it: the second scene is yours to change."},
    )
    def post(self, request: Request, conversation: str) -> Response:
        remark = write_remark(
            actor=self.actor,
            words=self.asked()["words"],
            conversation_id=conversation,
            once=self.once(),
            answer=self._kept,
        )
        return self.answer(_remark(remark, self.actor))

    def _kept(self, remark: Remark) -> tuple[int, Any]:
        return self.operation.status, _remark(remark, self.actor)


def _shown(rows: list[Any], reader: Any) -> list[dict[str, Any]]:
    return [
        dict(
            ConversationShown(
                {
                    "id": row.id,
                    "url": _url(row.id),
                    "member": said.name,
                    "clip": row.clip_id,
                    "waits": said.waits,
                    "opened_at": row.opened_at,
                    "last_at": row.last_at,
                }
            ).data
        )
        for row, said in zip(rows, shown_conversations(rows, reader), strict=True)
    ]


def _remark(remark: Remark, reader: Any) -> dict[str, Any]:
    public_id = shown("conversation", remark.conversation_id)
    return _said(remark, shown_conversation(conversation_for(reader, public_id), reader))


def _said(remark: Remark, about: Any) -> dict[str, Any]:
    facts = {
        "id": remark.id,
        "conversation": remark.conversation_id,
        "url": _url(remark.conversation_id),
        "role": remark.role,
        "name": name_of(remark, about),
        "words": remark.words,
        "at": remark.at,
    }
    return dict(RemarkShown(facts).data)


def _url(conversation_id: Any) -> str:
    return reverse("api-conversation", args=[shown("conversation", conversation_id)])


urlpatterns = [
    path("conversations", Conversations.as_view(), name="api-conversations"),
    path("conversations/to-answer", ToAnswer.as_view(), name="api-conversations-to-answer"),
    path("conversations/<str:conversation>", OneConversation.as_view(), name="api-conversation"),
    path("conversations/<str:conversation>/remarks", Remarks.as_view(), name="api-remarks"),
]
