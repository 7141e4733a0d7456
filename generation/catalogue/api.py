"""What may be ordered, what it costs, and which models a programme allows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from core.api import Endpoint, Ratio, Seconds, Shape, Text, Whole, operation
from generation.catalogue.commands import allow_models
from generation.catalogue.models import PriceRow, VideoModel
from generation.catalogue.queries import (
    allowed_models_in_force,
    frame_rule_of,
    is_ready,
    models_allowed,
)


class LengthShown(Shape):
    frames = serializers.IntegerField()
    seconds = Seconds()


class PriceShown(Shape):
    tier = serializers.CharField()
    size = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    generated_width = serializers.IntegerField(
        help_text=_("What the model makes, before it is cropped or resized.")
    )
    generated_height = serializers.IntegerField()
    is_resized = serializers.BooleanField(
        help_text=_("The file is larger than what the model makes, and says so.")
    )
    steps = serializers.IntegerField()
    credits_per_second = serializers.IntegerField()


class ModelShown(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    revision = serializers.CharField()
    licence = serializers.CharField()
    licence_address = serializers.CharField()
    territories_excluded = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("Where the licence grants nothing: ISO 3166-1, two letters."),
    )
    provenance_duty = serializers.BooleanField(
        help_text=_("Whoever publishes must keep the marks of a clip's origin.")
    )
    modes = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("What an order may start from: text, image, first_last, keyframes."),
    )
    most_conditions = serializers.IntegerField(
        help_text=_("How many pictures an order may name at most.")
    )
    takes_strength = serializers.BooleanField(
        help_text=_("Whether a picture may be held less exactly than the model can.")
    )
    has_sound = serializers.BooleanField()
    losses = serializers.DictField(
        child=serializers.DictField(),
        help_text=_("By tier: likeness to the lossless result on the same seeds, as measured."),
    )
    frame_rate = Ratio()
    sizes = serializers.ListField(child=serializers.CharField())
    tiers = serializers.ListField(child=serializers.CharField())
    lengths = LengthShown(many=True)
    prices = PriceShown(many=True)
    shows_noise = serializers.BooleanField(
        help_text=_("The model is untrained: it shows noise, and the price is the same.")
    )
    words = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("Those the model knows; it may ignore others. Empty: it takes any."),
    )
    examples = serializers.ListField(
        child=serializers.CharField(), help_text=_("Prompts to begin with.")
    )
    installed = serializers.BooleanField(
        help_text=_("Whether its engine is there; until then an order is refused.")
    )


class Models(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("List the models you may order from"),
        words=_(
            "With sizes, tiers, lengths and the price table. The price of a clip is its seconds"
            " times the credits of the row, rounded up; ask for a quote to have it exact. Where two"
            " revisions of a model are offered side by side, an order names one as slug@revision;"
            " the slug alone means the newest."
        ),
        answers=ModelShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        items = [ModelShown(_shown(model)).data for model in models_allowed(self.actor.programme)]
        return self.answer({"items": items, "next": None})


class AllowedShown(Shape):
    number = Whole(
        allow_null=True, help_text=_("Which version of the list; null where there is none.")
    )
    models = serializers.ListField(
        child=Text(), help_text=_("Slugs of the models testers may order from, now.")
    )


class AllowedWish(Shape):
    models = serializers.ListField(child=Text())
    seen = Whole(
        required=False,
        help_text=_("The version this was made from, 0 before the first; a newer one refuses it."),
    )


class Allowed(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read which models the programme allows"),
        words=_("Without a list, every model that is offered here."),
        answers=AllowedShown,
    )
    def get(self, _request: Request) -> Response:
        return self.answer(_allowed(self.actor.programme))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Allow models"),
        words=_("These and no others from now on. What was ordered before is rendered."),
        asks=AllowedWish,
        answers=AllowedShown,
        refuses=(404, 409),
        example={"models": ["still"]},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            allow_models(
                programme_id=self.actor.programme,
                slugs=asked["models"],
                seen=asked.get("seen"),
                actor=by,
            )
        return self.answer(_allowed(self.actor.programme))


def _allowed(programme_id: UUID) -> dict[str, Any]:
    newest = allowed_models_in_force(programme_id)
    facts = {
        "number": newest.number if newest else None,
        "models": list(dict.fromkeys(model.slug for model in models_allowed(programme_id))),
    }
    return dict(AllowedShown(facts).data)


def _shown(model: VideoModel) -> dict[str, Any]:
    prices = [_price(row) for row in model.prices.all()]
    rule = frame_rule_of(model)
    return {
        "slug": model.slug,
        "name": model.name,
        "revision": model.revision,
        "licence": model.licence,
        "licence_address": model.licence_address,
        "territories_excluded": model.territories_excluded,
        "provenance_duty": model.provenance_duty,
        "modes": model.modes,
        "most_conditions": model.most_conditions,
        "takes_strength": model.takes_strength,
        "has_sound": model.has_sound,
        "losses": {tier.tier: tier.measured for tier in model.tiers.all() if tier.measured},
        "frame_rate": model.rate,
        "sizes": list(dict.fromkeys(row["size"] for row in prices)),
        "tiers": list(dict.fromkeys(row["tier"] for row in prices)),
        "lengths": [
            {"frames": frames, "seconds": frames / model.rate}
            for frames in range(rule.minimum, rule.maximum + 1, rule.step)
        ],
        "prices": prices,
        "shows_noise": model.shows_noise,
        "words": model.words,
        "examples": model.examples,
        "installed": is_ready(model),
    }


def _price(row: PriceRow) -> dict[str, Any]:
    return {
        "tier": row.tier,
        "size": f"{row.width}x{row.height}",
        "width": row.width,
        "height": row.height,
        "generated_width": row.generated_width,
        "generated_height": row.generated_height,
        "is_resized": row.enlarged_by > 1,
        "steps": row.steps,
        "credits_per_second": row.credits_per_second,
    }


urlpatterns = [
    path("models", Models.as_view(), name="api-models"),
    path("programme/models", Allowed.as_view(), name="api-allowed-models"),
]
