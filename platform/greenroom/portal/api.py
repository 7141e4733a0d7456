"""What joins floors, over the native API: a clip's life in one list."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, operation, page_of
from core.ids import shown
from generation.clips.queries import clip_for
from greenroom.portal.record import record_of
from review.releases.models import Release
from review.releases.queries import release_shown, showcase
from review.releases.words import named_credits, shown_release


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


class NamedShown(Shape):
    role = Text(source="role_words")
    name = Text()


class ShowcaseShown(Shape):
    id = PublicId("release")
    title = Text()
    address = Text(help_text=_("Its page."))
    prompt = Text(help_text=_("Empty where its owner keeps it."))
    model = Text(source="model_name")
    programme = Text(source="programme_name")
    credits = NamedShown(many=True, help_text=_("Who is named, as they want to be."))
    files = serializers.ListField(child=Text(), help_text=_("Where its bytes are, for everybody."))
    released_at = serializers.DateTimeField()


class Showcase(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("List the showcase"),
        words=_("What its owners show to everybody, in every programme, newest first."),
        query=PageWish,
        answers=ShowcaseShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        page = page_of(showcase(), self.asked_in_query(), by=("-released_at", "-id"))
        return self.answer(page.shown([_on_showcase(release) for release in page.rows]))


class OneOnShowcase(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("Read one release of the showcase"),
        answers=ShowcaseShown,
        refuses=(404,),
    )
    def get(self, request: Request, listed: str) -> Response:
        return self.answer(_on_showcase(release_shown(listed)))


def _on_showcase(release: Release) -> dict[str, Any]:
    public = shown_release(release)
    facts = {
        **asdict(public),
        "id": release.id,
        "address": settings.PUBLIC_ADDRESS + reverse("showcase-release", args=[public.public_id]),
        "credits": named_credits(public.credits),
        "files": [f"/media/{shown('rendition', one.id)}" for one in release.clip.renditions.all()],
    }
    return dict(ShowcaseShown(facts).data)


urlpatterns = [
    path("showcase", Showcase.as_view(), name="api-showcase"),
    path("showcase/<str:listed>", OneOnShowcase.as_view(), name="api-showcase-release"),
    path("clips/<str:clip_id>/record", ClipRecord.as_view(), name="api-clip-record"),
]
