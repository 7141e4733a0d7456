"""References: send a picture or a short clip, list yours, remove one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import (
    Endpoint,
    PageWish,
    Parts,
    PublicId,
    Ratio,
    Seconds,
    Shape,
    Text,
    operation,
    page_of,
)
from core.ids import shown
from generation.references import rules
from generation.references.commands import Sent, add_reference, remove_reference
from generation.references.models import Reference
from generation.references.queries import own_references, reference_for


class ReferenceWish(Shape):
    file = serializers.FileField(
        allow_empty_file=True,  # refused with a code of its own
        help_text=_("PNG, JPEG, WebP or MP4, at most 20 MB; an MP4 at most ten seconds."),
    )
    # What is not on the list is refused with a sentence about rights, so it is no choice here.
    rights = Text(
        allow_blank=True,
        required=False,
        help_text=_("Why you may use it: own, licensed or public_domain."),
    )
    rights_words = Text(
        allow_blank=True,
        required=False,
        help_text=_("Who lets you use it and where that is written; needed with licensed."),
    )


class StillShown(Shape):
    frame = serializers.IntegerField(help_text=_("Counted in the reference, from 0."))
    sha256 = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ReferenceShown(Shape):
    id = PublicId("reference")
    url = serializers.CharField()
    picture = serializers.CharField(help_text=_("The first frame as it is used: a PNG."))
    shape = serializers.ChoiceField(rules.Shape.choices)
    name = serializers.CharField(help_text=_("What the file was called."))
    rights = serializers.ChoiceField(rules.Rights.choices)
    rights_words = serializers.CharField()
    media_type = serializers.CharField(help_text=_("By its content, whatever its name says."))
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text=_("Of the file as you sent it."))
    frames = serializers.IntegerField()
    frame_rate = Ratio(allow_null=True, help_text=_("Of a clip; null for a picture."))
    seconds = Seconds(allow_null=True, read_only=True)
    stills = StillShown(many=True, help_text=_("What engines get: upright, in sRGB, no metadata."))
    made_at = serializers.DateTimeField()


class References(Endpoint):
    parser_classes = (Parts,)

    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("List your references"),
        words=_("Of this programme, newest first. Nobody else sees them."),
        query=PageWish,
        answers=ReferenceShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        page = page_of(own_references(self.actor), self.asked_in_query(), by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(one) for one in page.rows]))

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Send a reference"),
        words=_(
            "As multipart/form-data. The original is kept for you alone; what clips are made from"
            " is a copy without metadata: no place, no camera, no names."
        ),
        asks=ReferenceWish,
        answers=ReferenceShown,
        status=201,
        is_repeatable=True,
        refuses=(413, 429, 507),
        example={"file": "@boat.png", "rights": "own"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        file = asked["file"]
        sent = Sent(
            file=file,
            size=file.size,
            name=file.name,
            rights=asked.get("rights", ""),
            rights_words=asked.get("rights_words", ""),
        )

        def answer(reference: Reference) -> tuple[int, Any]:
            return self.operation.status, _shown(reference)

        kept = add_reference(actor=self.actor, sent=sent, once=self.once(), answer=answer)
        return self.answer(_shown(kept))


class OneReference(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("Read one reference"),
        answers=ReferenceShown,
        refuses=(404,),
    )
    def get(self, request: Request, reference_id: str) -> Response:
        return self.answer(_shown(reference_for(self.actor, reference_id)))


class Removed(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Remove a reference"),
        words=_(
            "No new job takes it. Its files go now, or as soon as no job that is under way needs"
            " them; clips that were made from it stay."
        ),
        answers=ReferenceShown,
        refuses=(404,),
    )
    def post(self, request: Request, reference_id: str) -> Response:
        return self.answer(_shown(remove_reference(actor=self.actor, shown_id=reference_id)))


def _shown(reference: Reference) -> dict[str, Any]:
    public_id = shown("reference", reference.id)
    rate = Fraction(reference.rate_num, reference.rate_den)
    facts = {
        "id": reference.id,
        "url": reverse("api-reference", args=[public_id]),
        "picture": f"/references/{public_id}/picture",
        "shape": reference.shape,
        "name": reference.name,
        "rights": reference.rights,
        "rights_words": reference.rights_words,
        "media_type": reference.media_type,
        "bytes": reference.bytes,
        "sha256": reference.sha256,
        "frames": reference.frames,
        "frame_rate": rate or None,
        "seconds": reference.frames / rate if rate else None,
        "stills": sorted(reference.stills.all(), key=lambda still: still.frame),
        "made_at": reference.made_at,
    }
    return dict(ReferenceShown(facts).data)


urlpatterns = [
    path("references", References.as_view(), name="api-references"),
    path("references/<str:reference_id>", OneReference.as_view(), name="api-reference"),
    path(
        "references/<str:reference_id>/remove", Removed.as_view(), name="api-reference-remove"
    ),
]  # fmt: skip
