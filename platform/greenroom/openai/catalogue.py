"""Models, as SDKs list them: what may be ordered from in this programme."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Shape, operation
from core.errors import Absent
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import by_name, is_ready, model_named, models_allowed
from greenroom.openai.endpoint import Door
from greenroom.openai.fields import Constant

OWNER = "greenroom"


class Model(Shape):
    id = serializers.CharField(help_text=_("What an order calls it."))
    object = Constant(says="model")
    created = serializers.IntegerField()
    owned_by = serializers.CharField()
    name = serializers.CharField(help_text=_("Ours from here on."))
    revision = serializers.CharField()
    licence = serializers.CharField()
    sizes = serializers.ListField(child=serializers.CharField())
    tiers = serializers.ListField(child=serializers.CharField())
    modes = serializers.ListField(child=serializers.CharField())
    installed = serializers.BooleanField()


class ModelList(Shape):
    object = Constant(says="list")
    # DRF has a property of this name, which the metaclass takes out of the way.
    data = Model(many=True)  # type: ignore[assignment]


class Models(Door):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("List the models you may order from"),
        answers=ModelList,
    )
    def get(self, request: Request) -> Response:
        named = by_name(list(models_allowed(self.actor.programme)))
        return self.answer(
            {"object": "list", "data": [_shown(name, model) for name, model in named.items()]}
        )


class OneModel(Door):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Read one model"),
        answers=Model,
        refuses=(404,),
    )
    def get(self, request: Request, model: str) -> Response:
        allowed = models_allowed(self.actor.programme)
        # An address can spell a sign that no column holds.
        found = None if "\0" in model else model_named(allowed, model)
        if found is None:
            raise Absent
        return self.answer(_shown(model, found))


def _shown(name: str, model: VideoModel) -> dict[str, Any]:
    rows = model.prices.all()
    return {
        "id": name,
        "object": "model",
        "created": int(model.made_at.timestamp()),
        "owned_by": OWNER,
        "name": model.name,
        "revision": model.revision,
        "licence": model.licence,
        "sizes": list(dict.fromkeys(f"{row.width}x{row.height}" for row in rows)),
        "tiers": list(dict.fromkeys(row.tier for row in rows)),
        "modes": model.modes,
        "installed": is_ready(model),
    }
