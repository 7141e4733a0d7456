"""The styles one may order with."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, Shape, operation
from generation.styles.models import Style
from generation.styles.queries import styles_allowed


class WeightShown(Shape):
    usual = serializers.FloatField()
    least = serializers.FloatField()
    most = serializers.FloatField()


class StyleShown(Shape):
    slug = serializers.CharField()
    revision = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    trigger = serializers.CharField(
        help_text=_("Words it was made with, to be written into a prompt; or empty.")
    )
    models = serializers.ListField(
        child=serializers.CharField(), help_text=_("Slugs of the models that it fits.")
    )
    weight = WeightShown(help_text=_("How strongly it is used, and within which range."))
    licence = serializers.CharField()
    licence_address = serializers.CharField()
    sha256 = serializers.CharField(help_text=_("Of its file."))


class Styles(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("List the styles you may order with"),
        words=_(
            "A style changes how a model draws. It fits the models that it names and no others; an"
            " order names up to three, and the price is the same."
        ),
        answers=StyleShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        items = [StyleShown(_shown(one)).data for one in styles_allowed(self.actor.programme)]
        return self.answer({"items": items, "next": None})


def _shown(style: Style) -> dict[str, Any]:
    return {
        "slug": style.slug,
        "revision": style.revision,
        "name": style.name,
        "description": style.description,
        "trigger": style.trigger,
        "models": list(dict.fromkeys(fit.model.slug for fit in style.fits.all())),
        "weight": {
            "usual": style.usual_weight,
            "least": style.least_weight,
            "most": style.most_weight,
        },
        "licence": style.licence,
        "licence_address": style.licence_address,
        "sha256": style.sha256,
    }


urlpatterns = [path("styles", Styles.as_view(), name="api-styles")]
