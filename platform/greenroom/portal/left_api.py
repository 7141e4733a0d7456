"""The same over the native API, with a portal session: the tokens of a programme end with one's
membership of it."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.consents.commands import issue_consent_receipt, revoke_consent
from accounts.consents.queries import consent_acts_of, consents_of
from accounts.consents.rules import Purpose
from accounts.credentials.rules import CONSENTS_ANSWER, Scope
from accounts.programmes.models import Membership
from accounts.programmes.queries import memberships_ended
from core.api import Endpoint, PageWish, Shape, Text, operation, page_of
from generation.clips.queries import own_clip_for
from greenroom.portal.consents_api import (
    ConsentActShown,
    ConsentAnswer,
    ConsentReceipt,
    ConsentShown,
    shown_act,
    shown_consent,
)
from greenroom.portal.left import place_left
from review.ledger.api import ShownEarnings, ShownStatementLine, shown_line, shown_owed
from review.ledger.queries import owed_to, statement_of


class ProgrammeLeft(Shape):
    programme = Text(help_text=_("The name of its addresses."))
    url = Text()
    name = Text()
    ended_at = serializers.DateTimeField(help_text=_("When your membership ended."))


class ProgrammesLeft(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("List the programmes you left"),
        words=_("What stays yours there is below each. One that you are in again is not listed."),
        answers=ProgrammeLeft,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        ended = memberships_ended(self.actor.party_id)
        return self.answer({"items": [_left(each) for each in ended], "next": None})


class ConsentsLeft(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("Your consents in a programme you left"),
        words=_("Leaving takes none of them back: what you said counts until you say otherwise."),
        answers=ConsentShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, slug: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        found = consents_of(actor.programme, actor.party_id)
        return self.answer({"items": [shown_consent(each) for each in found], "next": None})


class ConsentRevokeLeft(Endpoint):
    @operation(
        scope=CONSENTS_ANSWER,
        summary=_("Take a consent back in a programme you left"),
        words=_("From the portal only. It counts from now on; what was paid stays paid."),
        asks=ConsentAnswer,
        answers=ConsentActShown,
        refuses=(404, 409),
        example={"purpose": "training"},
    )
    def post(self, request: Request, slug: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        asked = self.asked()
        clip = asked.get("clip")
        act = revoke_consent(
            actor=actor,
            purpose=Purpose(asked["purpose"]),
            clip_id=own_clip_for(actor, clip).id if clip is not None else None,
        )
        return self.answer(shown_act(act))


class ConsentActsLeft(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("List what you granted and took back in a programme you left"),
        answers=ConsentActShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, slug: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        items = [shown_act(act) for act in consent_acts_of(actor)]
        return self.answer({"items": items, "next": None})


class ConsentReceiptLeft(Endpoint):
    @operation(
        scope=Scope.CONSENTS_READ,
        summary=_("Get the receipt of a consent in a programme you left"),
        answers=ConsentReceipt,
        refuses=(404,),
    )
    def get(self, request: Request, slug: str, act_id: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        return self.answer(issue_consent_receipt(actor=actor, act_id=act_id))


class EarningsLeft(Endpoint):
    @operation(
        scope=Scope.EARNINGS_READ,
        summary=_("What you earned, were paid and are owed in a programme you left"),
        words=_("What is owed is paid, though you are no member any more."),
        answers=ShownEarnings,
        refuses=(404,),
    )
    def get(self, request: Request, slug: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        return self.answer(shown_owed(owed_to(actor.party_id, actor.programme)))


class EarningLinesLeft(Endpoint):
    @operation(
        scope=Scope.EARNINGS_READ,
        summary=_("Your statement in a programme you left, line by line"),
        answers=ShownStatementLine,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, slug: str) -> Response:
        _ended, actor = place_left(self.actor, slug)
        mine = statement_of(actor.party_id, actor.programme)
        page = page_of(mine, self.asked_in_query(), by=("-number",))
        return self.answer(page.shown([shown_line(entry) for entry in page.rows]))


def _left(ended: Membership) -> dict[str, Any]:
    slug = ended.programme.slug
    facts = {
        "programme": slug,
        "url": reverse("api-left-consents", args=[slug]),
        "name": ended.programme.name,
        "ended_at": ended.ended_at,
    }
    return dict(ProgrammeLeft(facts).data)


urlpatterns = [
    path("left", ProgrammesLeft.as_view(), name="api-left"),
    path("left/<slug:slug>/consents", ConsentsLeft.as_view(), name="api-left-consents"),
    path(
        "left/<slug:slug>/consents/revoke",
        ConsentRevokeLeft.as_view(),
        name="api-left-consent-revoke",
    ),
    path("left/<slug:slug>/consents/acts", ConsentActsLeft.as_view(), name="api-left-acts"),
    path(
        "left/<slug:slug>/consents/acts/<str:act_id>/receipt",
        ConsentReceiptLeft.as_view(),
        name="api-left-receipt",
    ),
    path("left/<slug:slug>/earnings", EarningsLeft.as_view(), name="api-left-earnings"),
    path(
        "left/<slug:slug>/earnings/lines",
        EarningLinesLeft.as_view(),
        name="api-left-earning-lines",
    ),
]
