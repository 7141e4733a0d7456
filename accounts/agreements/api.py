"""The agreement over the native API. Programs may read it; a person answers it, in the portal."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.agreements.commands import (
    answer_agreement,
    issue_receipt,
    note_view,
    publish_agreement,
)
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import (
    Standing,
    acts_of,
    agreement_standing,
    version_for,
    versions_of,
)
from accounts.credentials.commands import in_charge
from accounts.credentials.rules import AGREEMENTS_ANSWER, Scope
from core.api import Endpoint, Moment, PublicId, Shape, Text, Whole, operation
from core.errors import Absent

UNANSWERED = "unanswered"
STANDINGS = [UNANSWERED, *Acceptance.Act.values]


class VersionShown(Shape):
    number = Whole(help_text=_("Which version it is."))
    summary = Text()
    changes = Text(help_text=_("What is new in it, in plain words."))
    text = Text()
    text_sha256 = Text()
    answer_by = serializers.DateTimeField(
        allow_null=True,
        help_text=_("From then on new work asks for an answer to this version; null: never."),
    )
    published_at = serializers.DateTimeField()


class AgreementInForce(VersionShown):
    standing = serializers.ChoiceField(STANDINGS, help_text=_("Your last answer to this version."))
    answered_at = serializers.DateTimeField(allow_null=True)
    governed_by = Whole(
        allow_null=True,
        help_text=_(
            "The version you accepted that new work rests on; null: none, so it is refused."
        ),
    )
    accepted = Whole(allow_null=True, help_text=_("The newest version you ever accepted."))


class Answer(Shape):
    number = Whole(help_text=_("The version that was read; a newer one refuses the answer."))
    answer = serializers.ChoiceField(Acceptance.Act.choices)


class VersionWish(Shape):
    text = Text()
    summary = Text(allow_blank=True)
    changes = Text(required=False, allow_blank=True)
    answer_by = Moment(
        required=False,
        allow_null=True,
        help_text=_(
            "When new work begins to ask for an answer; without it the old one governs on."
        ),
    )
    seen = Whole(
        required=False,
        min_value=0,
        help_text=_("The newest version you know of; another one in between refuses with it."),
    )


class ActShown(Shape):
    id = PublicId("acceptance")
    number = Whole()
    answer = serializers.ChoiceField(Acceptance.Act.choices)
    at = serializers.DateTimeField()


class SignatureShown(Shape):
    key_id = Text(help_text=_("Which of the keys at /.well-known/greenroom-keys.json it is."))
    algorithm = Text()
    value = Text(help_text=_("Over the document without it, in the form of RFC 8785; base64."))


class NamedProgramme(Shape):
    id = Text()
    name = Text()


class AgreementOnReceipt(Shape):
    id = Text()
    number = Whole()
    published_at = Text()
    text = Text()
    text_sha256 = Text()
    summary = Text()
    summary_sha256 = Text()


class ActOnReceipt(Shape):
    id = Text()
    act = serializers.ChoiceField(Acceptance.Act.choices)
    at = Text()
    viewed_at = Text(allow_null=True, help_text=_("When this version was first on your screen."))
    signed_in_by = Text(help_text=_("How you had signed in; “machine”: written for you there."))


class AgreementReceipt(Shape):
    kind = Text()
    format = Whole()
    issuer = Text()
    programme = NamedProgramme()
    party = Text()
    agreement = AgreementOnReceipt()
    act = ActOnReceipt()
    signature = SignatureShown()


class Agreement(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read the agreement in force"),
        words=_(
            "The programme's terms, and how you stand to them. Until you answer a new version, the"
            " one you accepted governs."
        ),
        answers=AgreementInForce,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        standing = _standing(self)
        # A program that reads is nobody who has looked.
        if self.actor.is_portal:
            note_view(version=standing.version, party_id=self.actor.party_id)
        return self.answer(_shown(standing))


class AgreementAnswer(Endpoint):
    @operation(
        scope=AGREEMENTS_ANSWER,
        summary=_("Accept or decline the agreement"),
        words=_(
            "From the portal only: by a person who has read it, never by a token. Declining stops"
            " new clips, submissions and contributions, and takes nothing away; you may change your"
            " mind, either way."
        ),
        asks=Answer,
        answers=AgreementInForce,
        refuses=(404, 409),
        example={"number": 1, "answer": "accepted"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        answer_agreement(
            programme_id=self.actor.programme,
            party_id=self.actor.party_id,
            number=asked["number"],
            act=Acceptance.Act(asked["answer"]),
            credential_id=self.actor.credential_id,
        )
        return self.answer(_shown(_standing(self)))


class AgreementVersions(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("List the versions of the agreement"),
        words=_("The newest first, each with its whole text. None is ever edited."),
        answers=VersionShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        items = [VersionShown(each).data for each in versions_of(self.actor.programme)]
        return self.answer({"items": items, "next": None})

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish the next version of the agreement"),
        words=_(
            "It is in force at once. Whoever accepted an earlier one works on under that until they"
            " answer, or until the day you name."
        ),
        asks=VersionWish,
        answers=VersionShown,
        refuses=(404, 409),
        example={
            "text": "You may make clips. You may say what you think of them.",
            "summary": "Make clips, speak freely.",
            "changes": "Nothing but clearer words.",
            "seen": 1,
        },
    )
    def post(self, request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_agreement(programme_id=self.actor.programme, actor=by, **self.asked())
        return self.answer(dict(VersionShown(version).data))


class AgreementVersionNumbered(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read one version of the agreement"),
        answers=VersionShown,
        refuses=(404,),
    )
    def get(self, request: Request, number: int) -> Response:
        version: AgreementVersion = version_for(self.actor, number)
        return self.answer(dict(VersionShown(version).data))


class AgreementActs(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("List what you said to the agreement"),
        words=_("Every answer to every version, the newest first."),
        answers=ActShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        items = [
            ActShown(
                {"id": act.id, "number": act.version.number, "answer": act.act, "at": act.at}
            ).data
            for act in acts_of(self.actor)
        ]
        return self.answer({"items": items, "next": None})


class AgreementActReceipt(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Get the receipt of an answer"),
        words=_(
            "A signed document with the whole text, to keep. It verifies without us, with"
            " docs/verify_receipt.py and the public keys."
        ),
        answers=AgreementReceipt,
        refuses=(404,),
    )
    def get(self, request: Request, acceptance_id: str) -> Response:
        return self.answer(issue_receipt(actor=self.actor, acceptance_id=acceptance_id))


def _standing(endpoint: Endpoint) -> Standing:
    standing = agreement_standing(endpoint.actor.programme, endpoint.actor.party_id)
    if standing is None:
        raise Absent
    return standing


def _shown(standing: Standing) -> dict[str, Any]:
    version, act = standing.version, standing.act
    facts = {
        **VersionShown(version).data,
        "answer_by": version.answer_by,
        "published_at": version.published_at,
        "standing": act.act if act else UNANSWERED,
        "answered_at": act.at if act else None,
        "governed_by": standing.governing.version.number if standing.governing else None,
        "accepted": standing.accepted.number if standing.accepted else None,
    }
    return dict(AgreementInForce(facts).data)


urlpatterns = [
    path("agreement", Agreement.as_view(), name="api-agreement"),
    path("agreement/answer", AgreementAnswer.as_view(), name="api-agreement-answer"),
    path("agreement/versions", AgreementVersions.as_view(), name="api-agreement-versions"),
    path(
        "agreement/versions/<int:number>",
        AgreementVersionNumbered.as_view(),
        name="api-agreement-version",
    ),
    path("agreement/acts", AgreementActs.as_view(), name="api-agreement-acts"),
    path(
        "agreement/acts/<str:acceptance_id>/receipt",
        AgreementActReceipt.as_view(),
        name="api-agreement-receipt",
    ),
]
