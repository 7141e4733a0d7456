"""Leaving for good, over the native API: from the portal only, by a person who is there."""

from __future__ import annotations

from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.api import FreshSignInRequired
from accounts.credentials.methods import fresh_method
from accounts.credentials.rules import ERASURES_ASK
from core.api import Endpoint, PublicId, Shape, Text, operation
from greenroom.erasures.commands import ask_erasure
from greenroom.erasures.rules import Releases


class ErasureWish(Shape):
    address = Text(
        max_length=254, help_text=gettext_lazy("The one you sign in with, typed once more.")
    )
    releases = serializers.ChoiceField(
        Releases.choices,
        default=Releases.TAKEN_DOWN.value,
        help_text=gettext_lazy("What becomes of clips that you released."),
    )


class ErasureShown(Shape):
    id = PublicId("erasure")
    url = Text(
        help_text=gettext_lazy("The receipt, open to whoever has this address. Given this once.")
    )
    party = PublicId("party")
    asked_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)
    waits_for = Text(help_text=gettext_lazy("“payout” while one is on its way, else empty."))
    kept = serializers.ListField(
        child=serializers.DictField(), help_text=gettext_lazy("What stays, why and until when.")
    )


class Erasures(Endpoint):
    @operation(
        scope=ERASURES_ASK,
        summary=gettext_lazy("Leave for good"),
        words=gettext_lazy(
            "Deletes who you are, ends everything under way and cannot be undone. From the portal"
            " only, within five minutes of signing in again. Ask for an export before."
        ),
        asks=ErasureWish,
        answers=ErasureShown,
        status=201,
        refuses=(404, 409),
        example={"address": "ada@example.org", "releases": "taken_down"},
    )
    @sensitive_variables("secret")
    def post(self, request: Request) -> Response:
        fresh = fresh_method(request._request) if self.actor.is_portal else None  # noqa: SLF001
        if fresh is None:
            raise FreshSignInRequired(
                _("You leave in the portal, within five minutes of signing in again.")
            )
        asked = self.asked()
        erasure, secret = ask_erasure(
            party_id=self.actor.party_id,
            address=asked["address"],
            releases=Releases(asked["releases"]),
            actor=self.actor,
        )
        facts = {
            "id": erasure.id,
            "url": reverse("erasure", args=[secret]),
            "party": erasure.party_id,
            "asked_at": erasure.asked_at,
            "done_at": erasure.done_at,
            "waits_for": erasure.waits_for,
            "kept": erasure.kept,
        }
        return self.answer(dict(ErasureShown(facts).data))


urlpatterns = [path("erasures", Erasures.as_view(), name="api-erasures")]
