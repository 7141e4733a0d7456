"""The agreement over the native API. Programs may read it; a person answers it, in the portal."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.agreements.commands import answer_agreement
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import agreement_in_force, last_act
from accounts.credentials.rules import AGREEMENTS_ANSWER, Scope
from core.api import Endpoint, Shape, Text, Whole, operation
from core.errors import Absent

UNANSWERED = "unanswered"
STANDINGS = [UNANSWERED, *Acceptance.Act.values]


class AgreementInForce(Shape):
    number = Whole(help_text=_("Which version it is."))
    summary = Text()
    text = Text()
    text_sha256 = Text()
    published_at = serializers.DateTimeField()
    standing = serializers.ChoiceField(
        STANDINGS, help_text=_("Your last answer to this version; clips ask for “accepted”.")
    )
    answered_at = serializers.DateTimeField(allow_null=True)


class Answer(Shape):
    number = Whole(help_text=_("The version that was read; a newer one refuses the answer."))
    answer = serializers.ChoiceField(Acceptance.Act.values)


class Agreement(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read the agreement in force"),
        words=_("The programme's terms, and how you stand to them."),
        answers=AgreementInForce,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        version = agreement_in_force(self.actor.programme)
        if version is None:
            raise Absent
        return self.answer(_shown(version, last_act(version.id, self.actor.party_id)))


class AgreementAnswer(Endpoint):
    @operation(
        scope=AGREEMENTS_ANSWER,
        summary=_("Accept or decline the agreement"),
        words=_(
            "From the portal only: by a person who has read it, never by a token. Declining stops"
            " new clips and takes nothing away; you may change your mind, either way."
        ),
        asks=Answer,
        answers=AgreementInForce,
        refuses=(404, 409),
        example={"number": 1, "answer": "accepted"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        act = answer_agreement(
            programme_id=self.actor.programme,
            party_id=self.actor.party_id,
            number=asked["number"],
            act=Acceptance.Act(asked["answer"]),
            credential_id=self.actor.credential_id,
        )
        return self.answer(_shown(act.version, act))


def _shown(version: AgreementVersion, act: Acceptance | None) -> dict[str, Any]:
    facts = {
        "number": version.number,
        "summary": version.summary,
        "text": version.text,
        "text_sha256": version.text_sha256,
        "published_at": version.published_at,
        "standing": act.act if act else UNANSWERED,
        "answered_at": act.at if act else None,
    }
    return dict(AgreementInForce(facts).data)


urlpatterns = [
    path("agreement", Agreement.as_view(), name="api-agreement"),
    path("agreement/answer", AgreementAnswer.as_view(), name="api-agreement-answer"),
]
