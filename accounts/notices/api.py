"""Notices over the native API: what is not read yet, and putting it away."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.notices.commands import dismiss_notice
from accounts.notices.models import Notice
from accounts.notices.queries import unread_notices
from accounts.notices.words import shown_notice
from core.api import Endpoint, PageWish, PublicId, Shape, Text, operation, page_of
from core.errors import Absent
from core.ids import read_id, shown


class NoticeShown(Shape):
    id = PublicId("notice")
    kind = Text(help_text=_("The event it tells of, like “job.finished”."))
    text = Text()
    subject = Text(help_text=_("The id of what it is about."))
    page = Text(help_text=_("Where the portal shows that."))
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class Notices(Endpoint):
    @operation(
        scope=Scope.NOTICES_READ,
        summary=_("List your unread notices"),
        words=_("Newest first. Reading the list puts nothing away."),
        query=PageWish,
        answers=NoticeShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        page = page_of(
            unread_notices(self.actor.party_id), self.asked_in_query(), by=("-at", "-id")
        )
        return self.answer(page.shown([_shown(notice) for notice in page.rows]))


class Dismissal(Endpoint):
    @operation(
        scope=Scope.NOTICES_DISMISS,
        summary=_("Put a notice away"),
        words=_("It is no longer in the list. Doing it twice is fine."),
        answers=NoticeShown,
        refuses=(404,),
    )
    def post(self, request: Request, notice_id: str) -> Response:
        found = read_id("notice", notice_id)
        if found is None:
            raise Absent
        return self.answer(_shown(dismiss_notice(actor=self.actor, notice_id=found)))


def _shown(notice: Notice) -> dict[str, Any]:
    said = shown_notice(notice)
    facts = {
        "id": notice.id,
        "kind": notice.kind,
        "text": said.text,
        "subject": shown(notice.subject_kind, notice.subject_id),
        "page": said.url,
        "at": notice.at,
        "read_at": notice.read_at,
    }
    return dict(NoticeShown(facts).data)


urlpatterns = [
    path("notices", Notices.as_view(), name="api-notices"),
    path("notices/<str:notice_id>/dismiss", Dismissal.as_view(), name="api-notice-dismiss"),
]
