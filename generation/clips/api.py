"""Clips and their files. The bytes themselves are served below /media, outside Django."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import (
    Endpoint,
    PublicId,
    Ratio,
    Seconds,
    Shape,
    Text,
    TimesWish,
    operation,
    page_of,
    within,
)
from core.ids import shown
from generation.clips.commands import say_why
from generation.clips.models import Clip, Removal
from generation.clips.queries import allows_of, clip_for, clips_asked_for, removal_of, seen_by
from generation.clips.rules import Allows, Why, opens
from generation.jobs.queries import conditions_of, job_styles_of


class RenditionShown(Shape):
    id = PublicId("rendition")
    kind = serializers.CharField(
        help_text=_(
            "master: the clip itself. proxy: a light copy of at most 480 lines, or the"
            " clip's own bytes where those are no heavier. poster: its middle"
            " frame. sprite: the contact sheet. index: WebVTT, the sheet's pictures by time."
            " waveform: a picture of the sound, where there is sound."
        )
    )
    url = serializers.CharField(help_text=_("Where its bytes are, for the same credential."))
    media_type = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    made_at = serializers.DateTimeField()
    is_open = serializers.BooleanField(
        help_text=_("Whether you get it now: not all files are, before a clip is approved.")
    )


class RemovalShown(Shape):
    why = serializers.ChoiceField(Removal.Why.choices)
    announced_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text=_("When the files go, unless something stops it."))
    done_at = serializers.DateTimeField(allow_null=True, help_text=_("When they went."))


class ClipShown(Shape):
    id = PublicId("clip")
    url = serializers.CharField()
    job = PublicId("job")
    thread = PublicId("thread")
    version = serializers.IntegerField(help_text=_("Its number in the thread."))
    prompt = serializers.CharField()
    model = serializers.CharField()
    revision = serializers.CharField()
    tier = serializers.CharField()
    seed = serializers.IntegerField()
    size = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    generated_width = serializers.IntegerField()
    generated_height = serializers.IntegerField()
    is_resized = serializers.BooleanField(
        help_text=_("The file is larger than what the model generated.")
    )
    frames = serializers.IntegerField()
    frame_rate = Ratio()
    seconds = Seconds()
    bytes = serializers.IntegerField()
    master_sha256 = serializers.CharField()
    made_at = serializers.DateTimeField()
    extends = PublicId(
        "clip", allow_null=True, help_text=_("The clip of yours whose frames come first in it.")
    )
    files_before = serializers.ChoiceField(
        Allows.choices,
        help_text=_("Which of its files its owner gets now; “clip” is all of them."),
    )
    renditions = RenditionShown(many=True, help_text=_("None once the files were removed."))
    removal = RemovalShown(
        allow_null=True, help_text=_("That its files go, or went; the record stays.")
    )


class LookShown(Shape):
    role = serializers.CharField()
    why = serializers.CharField()
    at = serializers.DateTimeField()


class PictureShown(Shape):
    frame = serializers.IntegerField(help_text=_("Of the clip, from 0."))
    strength = serializers.FloatField()
    picture_sha256 = serializers.CharField(source="still.sha256")
    rights = serializers.CharField(
        source="reference.rights", help_text=_("On what ground its maker may use it.")
    )
    rights_words = serializers.CharField(source="reference.rights_words")


class StyleOfClip(Shape):
    style = serializers.CharField(source="style.slug")  # type: ignore[assignment]  # DRF's own word
    revision = serializers.IntegerField(source="style.revision")
    name = serializers.CharField(source="style.name")
    weight = serializers.FloatField()
    sha256 = serializers.CharField(source="style.sha256")


class ClipWhole(ClipShown):
    pictures = PictureShown(
        many=True, help_text=_("What it shows of references of its maker, and by what right.")
    )
    styles = StyleOfClip(many=True, help_text=_("Styles that made it, and how strongly."))
    recipe = serializers.DictField(help_text=_("What makes this clip again."))
    seen_by = LookShown(
        many=True,
        allow_null=True,
        help_text=_("Who but you opened its files, in which role and why. Only for the owner."),
    )


class ViewingWish(Shape):
    why = serializers.ChoiceField(
        Why.choices, help_text=_("The clip's owner reads it, with your role.")
    )


class ViewingShown(Shape):
    clip = PublicId("clip")
    url = Text(help_text=_("The clip, open to you until then."))
    role = Text(help_text=_("The role in which you look."))
    why = Text()
    at = serializers.DateTimeField()
    until = serializers.DateTimeField()


# Of the review's floor, which is above this one: as the states of its cases are called there.
REVIEWS = [
    ("none", _("Never put forward")),
    ("queued", _("Waits for a reviewer")),
    ("claimed", _("With a reviewer")),
    ("approved", _("Approved")),
    ("declined", _("Declined")),
    ("changes_requested", _("Changes asked for")),
    ("withdrawn", _("Withdrawn")),
]


class ClipsWish(TimesWish):
    model = Text(required=False, help_text=_("Only clips of this model, by its slug."))
    thread = PublicId("thread", required=False, help_text=_("Only clips of this thread."))
    q = Text(required=False, help_text=_("Only clips whose prompt holds these words."))
    review = serializers.ChoiceField(
        REVIEWS, required=False, help_text=_("Only clips with a review that stands or ended so.")
    )


class Clips(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("List your clips"),
        words=_("Of this programme, newest first."),
        query=ClipsWish,
        answers=ClipShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        mine = within(clips_asked_for(self.actor, wish), wish, "made_at")
        page = page_of(mine, wish, by=("-made_at", "-id"))
        return self.answer(page.shown([ClipShown(_facts(clip)).data for clip in page.rows]))


class OneClip(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("Read one clip"),
        words=_("With its files, the recipe that makes it again, and who has opened it."),
        answers=ClipWhole,
        refuses=(404,),
    )
    def get(self, request: Request, clip_id: str) -> Response:
        clip = clip_for(self.actor, clip_id)
        is_mine = clip.party_id == self.actor.party_id
        facts = {
            **_facts(clip, is_mine=is_mine),
            "pictures": conditions_of(clip.job),
            "styles": job_styles_of(clip.job),
            "recipe": clip.recipe,
            "seen_by": seen_by(clip) if is_mine else None,
        }
        return self.answer(ClipWhole(facts).data)


class Viewings(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("Say why you open somebody else's clip"),
        words=_(
            "For reviewers, managers and auditors. The clip and its files are open to you for half"
            " an hour; its owner sees in which role you looked, when and why."
        ),
        asks=ViewingWish,
        answers=ViewingShown,
        status=201,
        refuses=(404,),
        example={"why": "question"},
    )
    def post(self, request: Request, clip_id: str) -> Response:
        viewing = say_why(actor=self.actor, shown_id=clip_id, **self.asked())
        facts = {
            "clip": viewing.clip_id,
            "url": reverse("api-clip", args=[clip_id]),
            "role": viewing.role,
            "why": viewing.why,
            "at": viewing.at,
            "until": viewing.until,
        }
        return self.answer(dict(ViewingShown(facts).data))


def _facts(clip: Clip, *, is_mine: bool = True) -> dict[str, Any]:
    allows = allows_of(clip)
    shown_id = shown("clip", clip.id)
    return {
        "id": clip.id,
        "url": reverse("api-clip", args=[shown_id]),
        "job": clip.job_id,
        "thread": clip.thread_id,
        "version": clip.version,
        "prompt": clip.prompt,
        "model": clip.job.model.slug,
        "revision": clip.job.model.revision,
        "tier": clip.job.tier,
        "seed": clip.seed,
        "size": f"{clip.width}x{clip.height}",
        "width": clip.width,
        "height": clip.height,
        "generated_width": clip.generated_width,
        "generated_height": clip.generated_height,
        "is_resized": clip.is_resized,
        "frames": clip.frames,
        "frame_rate": clip.rate,
        "seconds": clip.frames / clip.rate,
        "bytes": clip.bytes,
        "master_sha256": clip.master_sha256,
        "made_at": clip.made_at,
        "extends": clip.job.extends_id,
        "files_before": allows,
        "renditions": [
            _rendition(rendition, is_open=not is_mine or opens(rendition.kind, allows))
            for rendition in sorted(clip.renditions.all(), key=lambda one: (one.kind, one.made_at))
        ],
        "removal": removal_of(clip),
    }


def _rendition(rendition: Any, *, is_open: bool) -> dict[str, Any]:
    return {
        "id": rendition.id,
        "kind": rendition.kind,
        "url": f"/media/{shown('rendition', rendition.id)}",
        "media_type": rendition.media_type,
        "width": rendition.width,
        "height": rendition.height,
        "bytes": rendition.bytes,
        "sha256": rendition.sha256,
        "made_at": rendition.made_at,
        "is_open": is_open,
    }


urlpatterns = [
    path("clips", Clips.as_view(), name="api-clips"),
    path("clips/<str:clip_id>", OneClip.as_view(), name="api-clip"),
    path("clips/<str:clip_id>/viewings", Viewings.as_view(), name="api-clip-viewings"),
]
