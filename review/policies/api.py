"""Publishing clauses and clock. Everybody reads them with the programme's terms."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from core.api import Endpoint, Shape, Text, Whole, operation
from generation.clips.rules import Allows
from review.policies.commands import NewClause, publish_charter, publish_policy
from review.policies.rules import Ground

SEEN = _("The version this was made from, 0 before the first; a newer one refuses it.")


class VersionPublished(Shape):
    number = Whole(help_text=_("Which version is in force now."))
    published_at = serializers.DateTimeField()


class NewClauseWish(Shape):
    ground = serializers.ChoiceField(Ground.choices)
    title = Text()
    words = Text()


class PolicyWish(Shape):
    introduction = Text()
    clauses = NewClauseWish(many=True)
    files_before = serializers.ChoiceField(
        Allows.choices,
        required=False,
        help_text=_(
            "Which files of a clip its owner gets before it is approved. Without it: as before,"
            " everything at first."
        ),
    )
    seen = Whole(required=False, help_text=SEEN)


class CharterWish(Shape):
    decide_within_hours = Whole(help_text=_("Round the clock."))
    appeal_within_hours = Whole()
    appeal_open_days = Whole(required=False, help_text=_("Usually 184, half a year."))
    words = Text(required=False, allow_blank=True)
    seen = Whole(required=False, help_text=SEEN)


class Policy(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish the clauses"),
        words=_("What was put forward before keeps the version it was sealed with."),
        asks=PolicyWish,
        answers=VersionPublished,
        refuses=(404, 409),
        example={
            "introduction": "A clip is declined only under one of these clauses.",
            "clauses": [
                {"ground": "hate", "title": "No hatred", "words": "Of anybody, for what they are."}
            ],
        },
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_policy(
                programme_id=self.actor.programme,
                introduction=asked["introduction"],
                clauses=[
                    NewClause(Ground(each["ground"]), each["title"], each["words"])
                    for each in asked["clauses"]
                ],
                files_before=Allows(asked["files_before"]) if "files_before" in asked else None,
                seen=asked.get("seen"),
                actor=by,
            )
        return self.answer(_published(version))


class Charter(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish the clock"),
        words=_("What was put forward before keeps the clock it was given."),
        asks=CharterWish,
        answers=VersionPublished,
        refuses=(404, 409),
        example={"decide_within_hours": 72, "appeal_within_hours": 120},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_charter(programme_id=self.actor.programme, actor=by, **self.asked())
        return self.answer(_published(version))


def _published(version: Any) -> dict[str, Any]:
    return dict(VersionPublished(version).data)


urlpatterns = [
    path("programme/policy", Policy.as_view(), name="api-policy"),
    path("programme/charter", Charter.as_view(), name="api-charter"),
]
