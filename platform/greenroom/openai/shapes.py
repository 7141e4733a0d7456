"""What comes in through this door, and what goes out: the Video object with all its keys, and
beside them what is ours, which SDKs keep and nobody has to read."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api import Shape, Text
from core.api.pages import LARGEST_LIMIT, USUAL_LIMIT
from generation.jobs.api import SIZE, WarningShown
from greenroom.openai.fields import Constant, InputReference, LooseSeconds, VideoGiven


class LooseCondition(Shape):
    reference = Text(help_text=_("A file of yours, file_… or ref_…"))
    at = serializers.ChoiceField(
        [("first", _("First frame")), ("last", _("Last frame"))], required=False
    )
    frame = serializers.IntegerField(required=False)
    seconds = LooseSeconds(required=False)
    moment = LooseSeconds(required=False)
    strength = serializers.FloatField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("at", "frame", "seconds")) > 1:
            raise serializers.ValidationError({"at": _("Say at, frame or seconds, and only one.")})
        return attrs


class LooseStyle(Shape):
    # DRF has another use for the word, which no shape of ours needs.
    style = Text(help_text=_("The slug of a style that fits the model."))  # type: ignore[assignment]
    weight = serializers.FloatField(required=False)


class Extras(Shape):
    """What an order may say beyond the standard: as members, or in the one field extensions."""

    seed = serializers.IntegerField(
        required=False, help_text=_("The same seed and order give the same clip; else random.")
    )
    tier = Text(required=False, help_text=_("One of the model's tiers; usually “standard”."))
    styles = LooseStyle(many=True, required=False)
    extensions = serializers.JSONField(
        required=False,
        write_only=True,
        help_text=_("All of these in one JSON object, for forms that cannot say what is nested."),
    )


class VideoWish(Extras):
    prompt = Text(allow_blank=True, help_text=_("What the video should show."))
    model = Text(
        required=False,
        help_text=_("A model of GET /v1/models; without it the programme's usual one."),
    )
    seconds = LooseSeconds(
        required=False, help_text=_("Taken to the nearest length that the model makes; usually 4.")
    )
    size = Text(
        required=False,
        validators=[RegexValidator(SIZE, _("A size is written like 1280x720."))],
        help_text=_("One of the model's sizes; without it the model's usual one."),
    )
    input_reference = InputReference(
        required=False,
        help_text=_(
            "The first frame: a file, or an object with file_id or image_url (data: only)."
        ),
    )
    rights = Text(
        required=False,
        help_text=_(
            "Why you may use the file that comes with it: own, licensed or public_domain. Sending"
            " one without a word states that it is your own."
        ),
    )
    rights_words = Text(allow_blank=True, required=False)
    conditions = LooseCondition(many=True, required=False)
    thread = Text(required=False, help_text=_("A thread of yours that this clip continues."))


class RemixWish(Shape):
    prompt = Text(allow_blank=True, help_text=_("Other words for the same recipe."))


class ExtensionWish(Extras):
    prompt = Text(allow_blank=True, help_text=_("What comes next."))
    seconds = LooseSeconds(help_text=_("How much is new; the answer says the stitched total."))
    video = VideoGiven(
        help_text=_("An object with the id of a video of yours; or a file, begun from its end.")
    )
    model = Text(required=False)
    size = Text(
        required=False,
        validators=[RegexValidator(SIZE, _("A size is written like 1280x720."))],
        help_text=_("Only with a file: a video's extension has its size."),
    )
    rights = Text(required=False)
    rights_words = Text(allow_blank=True, required=False)


class EditWish(Shape):
    prompt = Text(allow_blank=True)
    video = VideoGiven()


class CharacterWish(Shape):
    name = Text()
    video = VideoGiven()


class ListWish(Shape):
    after = serializers.CharField(
        required=False, help_text=_("The id of the last one of the page before.")
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_LIMIT, default=USUAL_LIMIT, required=False
    )
    order = serializers.ChoiceField([("asc", ""), ("desc", "")], default="desc", required=False)


class ErrorOfVideo(Shape):
    code = serializers.CharField()
    message = serializers.CharField()


class QueueShown(Shape):
    place = serializers.IntegerField(allow_null=True)
    eta_s = serializers.IntegerField(allow_null=True)


class StyleOfRecipe(Shape):
    style = serializers.CharField()  # type: ignore[assignment]  # DRF's own word
    weight = serializers.FloatField()


class ConditionOfRecipe(Shape):
    reference = serializers.CharField()
    frame = serializers.IntegerField()
    reference_frame = serializers.IntegerField()
    strength = serializers.FloatField()


class RecipeShown(Shape):
    seed = serializers.IntegerField()
    tier = serializers.CharField()
    steps = serializers.IntegerField()
    frames = serializers.IntegerField(help_text=_("Of the whole video."))
    frame_rate = serializers.CharField(help_text=_("Exact, as in 24000/1001."))
    revision = serializers.CharField()
    styles = StyleOfRecipe(many=True)
    conditions = ConditionOfRecipe(many=True)


class ReviewShown(Shape):
    state = serializers.ChoiceField(
        [
            ("not_submitted", _("It was not put forward yet.")),
            ("pending", _("It waits for a reviewer, or one looks at it.")),
            ("approved", _("The bar is lifted; its owner may release it.")),
            ("released", _("Its owner released it.")),
            ("changes_requested", _("It was sent back for changes.")),
            ("rejected", _("It was declined.")),
            ("withdrawn", _("Its owner took it back.")),
        ]
    )
    case = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    appeal_url = serializers.CharField(
        allow_null=True, help_text=_("Where it can be appealed against.")
    )


class CreditOfVideo(Shape):
    role = serializers.CharField()
    name = serializers.CharField(help_text=_("As its bearer wants to be named, else empty."))


class Video(Shape):
    id = serializers.CharField()
    object = Constant(says="video")
    status = serializers.ChoiceField(
        [("queued", ""), ("in_progress", ""), ("completed", ""), ("failed", "")],
        help_text=_("completed means rendered; whether it is approved stands in review."),
    )
    progress = serializers.IntegerField(min_value=0, max_value=100)
    created_at = serializers.IntegerField(help_text=_("Seconds since 1970."))
    completed_at = serializers.IntegerField(allow_null=True)
    expires_at = serializers.IntegerField(
        allow_null=True, help_text=_("When its files go, where that is known.")
    )
    model = serializers.CharField()
    prompt = serializers.CharField()
    seconds = serializers.CharField(help_text=_("As text; of an extension the stitched total."))
    size = serializers.CharField()
    remixed_from_video_id = serializers.CharField(allow_null=True)
    error = ErrorOfVideo(allow_null=True)
    job = serializers.CharField(help_text=_("Ours from here on: the same job in the native API."))
    clip = serializers.CharField(allow_null=True)
    thread = serializers.CharField()
    extended_from_video_id = serializers.CharField(allow_null=True)
    queue = QueueShown(allow_null=True)
    price_credits = serializers.IntegerField()
    charged_credits = serializers.IntegerField(allow_null=True)
    recipe = RecipeShown()
    review = ReviewShown(allow_null=True, help_text=_("Null until it is rendered."))
    credit_lines = CreditOfVideo(many=True)
    warnings = WarningShown(many=True)


class VideoList(Shape):
    object = Constant(says="list")
    # DRF has a property of this name, which the metaclass takes out of the way.
    data = Video(many=True)  # type: ignore[assignment]
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class VideoDeleted(Shape):
    id = serializers.CharField()
    object = Constant(says="video.deleted")
    deleted = serializers.BooleanField()


class Character(Shape):
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.IntegerField()
