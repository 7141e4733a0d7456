"""Notices over the native API: what was told, and putting it away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.notices.commands import dismiss_notice, dismiss_notices
from accounts.notices.models import Notice
from accounts.notices.queries import notices_of
from accounts.notices.rules import Topic
from accounts.notices.words import shown_notices
from core.api import Endpoint, Moment, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.errors import Absent
from core.ids import read_id, shown


class NoticeShown(Shape):
    id = PublicId("notice")
    kind = Text(help_text=_("The event it tells of, like “job.finished”."))
    topic = Text(help_text=_("What its reader chooses by how far it comes to them."))
    text = Text()
    subject = Text(help_text=_("The id of what it is about."))
    page = Text(help_text=_("Where the portal shows that."))
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NoticesWish(PageWish):
    show = serializers.ChoiceField(
        ["unread", "all"],
        default="unread",
        help_text=_("“unread”, or “all” to see those that were put away too."),
    )
    topic = serializers.ChoiceField(
        Topic.values, required=False, help_text=_("Only those of this topic.")
    )


class DismissalWish(Shape):
    topic = serializers.ChoiceField(
        Topic.values, required=False, help_text=_("Only those of this topic.")
    )
    until = Moment(required=False, help_text=_("None that came after this moment."))


class Dismissed(Shape):
    dismissed = Whole(help_text=_("How many were put away."))


class Notices(Endpoint):
    @operation(
        scope=Scope.NOTICES_READ,
        summary=_("List your notices"),
        words=_("Newest first, those that are unread or all. Reading the list puts nothing away."),
        query=NoticesWish,
        answers=NoticeShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        topic = wish.get("topic")
        found = notices_of(
            self.actor.party_id,
            unread=wish["show"] == "unread",
            topic=Topic(topic) if topic else None,
        )
        page = page_of(found, wish, by=("-at", "-id"))
        return self.answer(page.shown(_shown(page.rows)))


class Dismissal(Endpoint):
    @operation(
        scope=Scope.NOTICES_DISMISS,
        summary=_("Put a notice away"),
        words=_("It is read, and no longer among the unread. Doing it twice is fine."),
        answers=NoticeShown,
        refuses=(404,),
    )
    def post(self, request: Request, notice_id: str) -> Response:
        found = read_id("notice", notice_id)
        if found is None:
            raise Absent
        return self.answer(_shown([dismiss_notice(actor=self.actor, notice_id=found)])[0])


class Dismissals(Endpoint):
    @operation(
        scope=Scope.NOTICES_DISMISS,
        summary=_("Put your notices away"),
        words=_("All that are unread, or those of one topic, or those until a moment."),
        asks=DismissalWish,
        answers=Dismissed,
        example={"topic": "clips"},
    )
    def post(self, request: Request) -> Response:
        wish = self.asked()
        topic = wish.get("topic")
        count = dismiss_notices(
            actor=self.actor, topic=Topic(topic) if topic else None, until=wish.get("until")
        )
        return self.answer(dict(Dismissed({"dismissed": count}).data))


def _shown(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    return [
        dict(
            NoticeShown(
                {
                    "id": notice.id,
                    "kind": said.kind,
                    "topic": said.topic.value,
                    "text": said.text,
                    "subject": shown(notice.subject_kind, notice.subject_id),
                    "page": said.page,
                    "at": said.at,
                    "read_at": said.read_at,
                }
            ).data
        )
        for notice, said in zip(notices, shown_notices(notices), strict=True)
    ]


urlpatterns = [
    path("notices", Notices.as_view(), name="api-notices"),
    path("notices/dismiss", Dismissals.as_view(), name="api-notices-dismiss"),
    path("notices/<str:notice_id>/dismiss", Dismissal.as_view(), name="api-notice-dismiss"),
]
