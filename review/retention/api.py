"""What a programme stores and what goes; and an owner's word over the files of their clip."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, PublicId, Shape, Text, operation
from core.ids import shown
from generation.clips.models import Clip, Removal
from generation.clips.queries import removal_of
from review.retention.commands import keep_own_clip, remove_own_clip
from review.retention.queries import Storage, storage_for
from review.retention.rules import GOING_DAYS, State, Stored


class TermsShown(Shape):
    draft_days = serializers.IntegerField(allow_null=True)
    unreleased_days = serializers.IntegerField(allow_null=True)
    released_days = serializers.IntegerField(allow_null=True)
    warning_days = serializers.IntegerField()


class GoingShown(Shape):
    days = serializers.IntegerField()
    clips = serializers.IntegerField()
    bytes = serializers.IntegerField()


class StoredShown(Shape):
    state = serializers.ChoiceField(State.choices)
    clips = serializers.IntegerField()
    bytes = serializers.IntegerField()
    going = GoingShown(many=True, help_text=_("What goes within so many days, as things stand."))


class ForecastShown(Shape):
    days = serializers.IntegerField()
    under_terms_bytes = serializers.IntegerField()
    all_kept_bytes = serializers.IntegerField(help_text=_("If nothing were ever removed."))


class StorageShown(Shape):
    at = serializers.DateTimeField()
    terms = TermsShown(allow_null=True, help_text=_("Null where everything is kept."))
    clips = serializers.IntegerField()
    bytes = serializers.IntegerField()
    states = StoredShown(many=True)
    removed_clips = serializers.IntegerField()
    removed_bytes = serializers.IntegerField()
    forecasts = ForecastShown(
        many=True, allow_null=True, help_text=_("Null while the programme is too young to say.")
    )


class FilesShown(Shape):
    clip = PublicId("clip")
    url = Text(help_text=_("The clip; its record stays in any case."))
    due_at = serializers.DateTimeField(
        allow_null=True, help_text=_("When its files go; null where they stay.")
    )


class OwnStorage(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read what your programme stores"),
        words=_(
            "For managers, administrators and auditors: clips and bytes by state, what goes in the"
            " next days, and what storage comes to at the rate of the last thirty days."
        ),
        answers=StorageShown,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        return self.answer(_storage(storage_for(self.actor)))


class ClipRemoval(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Remove the files of a clip of yours"),
        words=_(
            "Its files go in a day, and until then you can keep them. The record of the clip stays."
            " What is released or under review is not removed."
        ),
        answers=FilesShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, clip_id: str) -> Response:
        removal = remove_own_clip(actor=self.actor, clip_id=clip_id)
        return self.answer(_files(removal.clip, removal))


class ClipKeeping(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Keep the files of a clip after all"),
        words=_("Takes back that you wanted them removed. Twice is fine."),
        answers=FilesShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, clip_id: str) -> Response:
        clip = keep_own_clip(actor=self.actor, clip_id=clip_id)
        return self.answer(_files(clip, removal_of(clip)))


def _files(clip: Clip, removal: Removal | None) -> dict[str, Any]:
    facts = {
        "clip": clip.id,
        "url": reverse("api-clip", args=[shown("clip", clip.id)]),
        "due_at": removal.due_at if removal else None,
    }
    return dict(FilesShown(facts).data)


def _storage(found: Storage) -> dict[str, Any]:
    facts = {
        "at": found.at,
        "terms": found.terms,
        "clips": found.clips,
        "bytes": found.bytes,
        "states": [_stored(each) for each in found.stored],
        "removed_clips": found.removed_clips,
        "removed_bytes": found.removed_bytes,
        "forecasts": found.forecasts,
    }
    return dict(StorageShown(facts).data)


def _stored(each: Stored) -> dict[str, Any]:
    return {
        "state": each.state,
        "clips": each.clips,
        "bytes": each.bytes,
        "going": [
            {"days": days, "clips": each.goes_within(days)[0], "bytes": each.goes_within(days)[1]}
            for days in GOING_DAYS
        ],
    }


urlpatterns = [
    path("programme/storage", OwnStorage.as_view(), name="api-storage"),
    path("clips/<str:clip_id>/remove", ClipRemoval.as_view(), name="api-remove-clip"),
    path("clips/<str:clip_id>/keep", ClipKeeping.as_view(), name="api-keep-clip"),
]
