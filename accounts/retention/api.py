"""How long files are kept: read by everybody in the programme, published by who sets it up."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from accounts.retention.commands import RetentionWish, publish_retention
from accounts.retention.models import RetentionVersion
from accounts.retention.queries import retention_in_force
from core.api import Endpoint, Shape, Whole, operation
from core.errors import Absent


class RetentionInForce(Shape):
    number = Whole(help_text=_("Which version it is."))
    draft_days = Whole(
        allow_null=True,
        help_text=_("Of a clip never put forward; null as long as the installation runs."),
    )
    unreleased_days = Whole(allow_null=True, help_text=_("After its last decision."))
    released_days = Whole(allow_null=True, help_text=_("After its release."))
    warning_days = Whole(help_text=_("So long before anything goes, its owner is told."))
    books_years = Whole(help_text=_("Money, and what it rests on."))
    published_at = serializers.DateTimeField()


class RetentionTerms(Shape):
    draft_days = Whole(allow_null=True)
    unreleased_days = Whole(allow_null=True)
    released_days = Whole(allow_null=True)
    warning_days = Whole()
    books_years = Whole()
    seen = Whole(
        required=False,
        help_text=_("The version this was made from, 0 before the first; a newer one refuses it."),
    )


class Retention(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read how long files are kept"),
        words=_("By the state of a clip. Nothing goes before its owner was warned."),
        answers=RetentionInForce,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        version = retention_in_force(self.actor.programme)
        if version is None:
            raise Absent
        return self.answer(_shown(version))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish how long files are kept"),
        words=_("The next version; the ones before stay readable."),
        asks=RetentionTerms,
        answers=RetentionInForce,
        refuses=(404, 409),
        example={
            "draft_days": 180,
            "unreleased_days": 365,
            "released_days": None,
            "warning_days": 30,
            "books_years": 10,
        },
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        seen = asked.pop("seen", None)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_retention(
                programme_id=self.actor.programme,
                wish=RetentionWish(**asked),
                seen=seen,
                actor=by,
            )
        return self.answer(_shown(version))


def _shown(version: RetentionVersion) -> dict[str, Any]:
    return dict(RetentionInForce(version).data)


urlpatterns = [path("programme/retention", Retention.as_view(), name="api-retention")]
