"""What joins floors, over the native API: a clip's life in one list."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, Shape, Text, operation
from generation.clips.queries import clip_for
from greenroom.portal.record import record_of


class EntryShown(Shape):
    at = serializers.DateTimeField()
    role = Text(help_text=_("Who it was, by what they are in the programme."))
    sentence = Text()


class ClipRecord(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("Read a clip's record"),
        words=_(
            "Everything that happened to it, oldest first: ordered, rendered, put forward, decided,"
            " released, credited. In words for people, in your language."
        ),
        answers=EntryShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, clip_id: str) -> Response:
        entries = record_of(clip_for(self.actor, clip_id), self.actor)
        items = [EntryShown(entry).data for entry in entries]
        return self.answer({"items": items, "next": None})


urlpatterns = [
    path("clips/<str:clip_id>/record", ClipRecord.as_view(), name="api-clip-record"),
]
