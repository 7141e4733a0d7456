"""Announcements over the native API."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.announcements.commands import announce
from accounts.announcements.models import Announcement
from accounts.announcements.queries import announcement_for, announcements_for
from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, operation, page_of


class AnnouncementWish(Shape):
    title = Text(help_text=_("One line of 1 to 120 characters; the subject of its mail."))
    words = Text(help_text=_("1 to 5,000 characters of plain text."))
    cohort = PublicId("cohort", required=False, help_text=_("Without it: the whole programme."))


class ShownAnnouncement(Shape):
    id = PublicId("announcement")
    url = Text()
    title = Text()
    words = Text()
    cohort = PublicId("cohort", allow_null=True)
    made_at = serializers.DateTimeField()


class Announcements(Endpoint):
    @operation(
        scope=Scope.NOTICES_READ,
        summary=_("List announcements"),
        words=_("Newest first: those that were for you; all of the programme's for its staff."),
        query=PageWish,
        answers=ShownAnnouncement,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        page = page_of(announcements_for(self.actor), self.asked_in_query(), by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(one) for one in page.rows]))

    @operation(
        scope=Scope.ANNOUNCEMENTS_SEND,
        summary=_("Tell a cohort, or everybody"),
        words=_(
            "Everybody who is in it now finds a notice, and gets it by mail as they have chosen. It"
            " cannot be edited or taken back."
        ),
        asks=AnnouncementWish,
        answers=ShownAnnouncement,
        status=201,
        is_repeatable=True,
        refuses=(404,),
        example={"title": "New clauses", "words": "From Monday on, clause 4 is shorter."},
    )
    def post(self, request: Request) -> Response:
        wish = self.asked()
        made = announce(
            actor=self.actor,
            title=wish["title"],
            words=wish["words"],
            cohort_id=wish.get("cohort"),
            once=self.once(),
            answer=lambda announcement: (201, _shown(announcement)),
        )
        return self.answer(_shown(made))


class OneAnnouncement(Endpoint):
    @operation(
        scope=Scope.NOTICES_READ,
        summary=_("Read an announcement"),
        answers=ShownAnnouncement,
        refuses=(404,),
    )
    def get(self, request: Request, announcement_id: str) -> Response:
        return self.answer(_shown(announcement_for(self.actor, announcement_id)))


def _shown(announcement: Announcement) -> dict[str, Any]:
    shape = ShownAnnouncement(
        {
            "id": announcement.id,
            "url": "",
            "title": announcement.title,
            "words": announcement.words,
            "cohort": announcement.cohort_id,
            "made_at": announcement.made_at,
        }
    )
    facts = dict(shape.data)
    return facts | {"url": reverse("api-announcement", args=[facts["id"]])}


urlpatterns = [
    path("announcements", Announcements.as_view(), name="api-announcements"),
    path(
        "announcements/<str:announcement_id>",
        OneAnnouncement.as_view(),
        name="api-announcement",
    ),
]
