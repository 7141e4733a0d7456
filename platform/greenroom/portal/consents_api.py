"""Consents over the native API. Programs may read them; a person gives them, in the portal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.agreements.api import NamedProgramme, SignatureShown
from accounts.consents.commands import (
    grant_consent,
    issue_consent_receipt,
    publish_consent,
    revoke_consent,
)
from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.consents.queries import Consent, consent_acts_of, consents_of, is_yes
from accounts.consents.rules import Purpose
from accounts.consents.words import EFFECTS
from accounts.credentials.commands import in_charge
from accounts.credentials.rules import CONSENTS_ANSWER, Scope
from core.api import Endpoint, PublicId, Shape, Text, Whole, operation
from greenroom.portal.consents import own_clip


class ClipConsentShown(Shape):
    clip = PublicId("clip")
    is_given = serializers.BooleanField()
    at = serializers.DateTimeField()


class ConsentShown(Shape):
    purpose = serializers.ChoiceField(Purpose.values)
    number = Whole(allow_null=True, help_text=_("The version of the words in force."))
    is_asked = serializers.BooleanField()
    words = Text(help_text=_("What the programme asks for, in its own words."))
    stops = Text(help_text=_("What taking it back stops."))
    stays = Text(help_text=_("What stays as it is then."))
    is_given = serializers.BooleanField(help_text=_("Your last word; without any it is no."))
    read = Whole(allow_null=True, help_text=_("The version you had read with your last word."))
    at = serializers.DateTimeField(allow_null=True)
    clips = ClipConsentShown(many=True, help_text=_("Clips with a word of their own."))


class ConsentAnswer(Shape):
    purpose = serializers.ChoiceField(Purpose.values)
    clip = Text(
        required=False,
        allow_null=True,
        help_text=_("One clip of your own. Without it: everything in the programme."),
    )


class ConsentActShown(Shape):
    id = PublicId("consent_act")
    purpose = serializers.ChoiceField(Purpose.values)
    number = Whole()
    answer = serializers.ChoiceField(ConsentAct.Deed.choices)
    clip = PublicId("clip", allow_null=True)
    at = serializers.DateTimeField()


class ConsentVersionWish(Shape):
    purpose = serializers.ChoiceField(Purpose.values)
    is_asked = serializers.BooleanField()
    words = Text(allow_blank=True)
    seen = Whole(
        required=False,
        min_value=0,
        help_text=_("The newest version you know of; another one in between refuses with it."),
    )


class ConsentVersionShown(Shape):
    purpose = serializers.ChoiceField(Purpose.values)
    number = Whole()
    is_asked = serializers.BooleanField()
    words = Text()
    published_at = serializers.DateTimeField()


class ConsentOnReceipt(Shape):
    id = Text()
    purpose = serializers.ChoiceField(Purpose.values)
    number = Whole()
    published_at = Text()
    is_asked = serializers.BooleanField()
    words = Text()
    words_sha256 = Text()


class ConsentActOnReceipt(Shape):
    id = Text()
    act = serializers.ChoiceField(ConsentAct.Deed.choices)
    clip = Text(allow_null=True)
    at = Text()
    signed_in_by = Text()


class ConsentReceipt(Shape):
    kind = Text()
    format = Whole()
    issuer = Text()
    programme = NamedProgramme()
    party = Text()
    consent = ConsentOnReceipt()
    act = ConsentActOnReceipt()
    signature = SignatureShown()


class Consents(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("List your consents"),
        words=_("The four things the programme may ask for, and your standing to each."),
        answers=ConsentShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        found = consents_of(self.actor.programme, self.actor.party_id)
        return self.answer({"items": [shown_consent(each) for each in found], "next": None})


class ConsentGrant(Endpoint):
    @operation(
        scope=CONSENTS_ANSWER,
        summary=_("Grant a consent"),
        words=_("From the portal only. For the words in force, and only where they are asked."),
        asks=ConsentAnswer,
        answers=ConsentActShown,
        refuses=(404, 409),
        example={"purpose": "evaluation"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        act = grant_consent(
            actor=self.actor, purpose=Purpose(asked["purpose"]), clip_id=_clip(self, asked)
        )
        return self.answer(shown_act(act))


class ConsentRevoke(Endpoint):
    @operation(
        scope=CONSENTS_ANSWER,
        summary=_("Take a consent back, or say no"),
        words=_("From the portal only. It counts from now on; what was paid stays paid."),
        asks=ConsentAnswer,
        answers=ConsentActShown,
        refuses=(404, 409),
        example={"purpose": "evaluation"},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        act = revoke_consent(
            actor=self.actor, purpose=Purpose(asked["purpose"]), clip_id=_clip(self, asked)
        )
        return self.answer(shown_act(act))


class ConsentActs(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("List what you granted and took back"),
        answers=ConsentActShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        items = [shown_act(act) for act in consent_acts_of(self.actor)]
        return self.answer({"items": items, "next": None})


class ConsentActReceipt(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("Get the receipt of a consent"),
        words=_("A signed document to keep, as for the agreement."),
        answers=ConsentReceipt,
        refuses=(404,),
    )
    def get(self, request: Request, act_id: str) -> Response:
        return self.answer(issue_consent_receipt(actor=self.actor, act_id=act_id))


class ConsentVersions(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish what the programme asks for under one purpose"),
        words=_("What was granted before stands for the words it was granted to."),
        asks=ConsentVersionWish,
        answers=ConsentVersionShown,
        refuses=(404, 409),
        example={
            "purpose": "evaluation",
            "is_asked": True,
            "words": "We may measure new models with your clips.",
            "seen": 0,
        },
    )
    def post(self, request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version: ConsentVersion = publish_consent(
                programme_id=self.actor.programme,
                actor=by,
                **{**asked, "purpose": Purpose(asked["purpose"])},
            )
        return self.answer(dict(ConsentVersionShown(version).data))


def _clip(endpoint: Endpoint, asked: dict[str, Any]) -> UUID | None:
    """The clip as the actor's own. Raises ``Absent`` for any other."""
    shown_id = asked.get("clip")
    if shown_id is None:
        return None
    clip_id: UUID = own_clip(endpoint.actor, shown_id).id
    return clip_id


def shown_consent(consent: Consent) -> dict[str, Any]:
    version, act, effects = consent.version, consent.act, EFFECTS[consent.purpose]
    facts = {
        "purpose": consent.purpose.value,
        "number": version.number if version else None,
        "is_asked": consent.is_asked,
        "words": version.words if version else "",
        "stops": str(effects.stops),
        "stays": str(effects.stays),
        "is_given": consent.is_given,
        "read": act.version.number if act else None,
        "at": consent.since,
        "clips": [
            {"clip": clip_id, "is_given": is_yes(each), "at": each.at}
            for clip_id, each in sorted(consent.clips.items(), key=lambda item: item[1].at)
        ],
    }
    return dict(ConsentShown(facts).data)


def shown_act(act: ConsentAct) -> dict[str, Any]:
    facts = {
        "id": act.id,
        "purpose": act.purpose,
        "number": act.version.number,
        "answer": act.deed,
        "clip": act.clip_id,
        "at": act.at,
    }
    return dict(ConsentActShown(facts).data)


urlpatterns = [
    path("consents", Consents.as_view(), name="api-consents"),
    path("consents/grant", ConsentGrant.as_view(), name="api-consent-grant"),
    path("consents/revoke", ConsentRevoke.as_view(), name="api-consent-revoke"),
    path("consents/versions", ConsentVersions.as_view(), name="api-consent-versions"),
    path("consents/acts", ConsentActs.as_view(), name="api-consent-acts"),
    path(
        "consents/acts/<str:act_id>/receipt",
        ConsentActReceipt.as_view(),
        name="api-consent-receipt",
    ),
]
