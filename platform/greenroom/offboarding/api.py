"""Leaving, over the native API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.administrators.queries import person_for
from accounts.credentials.rules import Scope
from accounts.roles.queries import member_for
from core.api import Endpoint, Shape, Whole, operation
from greenroom.offboarding.commands import Ended, offboard_everywhere, offboard_member
from greenroom.offboarding.queries import under_way
from greenroom.offboarding.rules import Why


class LeavingWish(Shape):
    reason = serializers.ChoiceField(Why.choices, help_text=_("Kept in the audit, shown nowhere."))


class ShownEnd(Shape):
    programmes = Whole(help_text=_("How many memberships ended."))
    credentials = Whole(help_text=_("Tokens revoked and sign-ins ended."))
    jobs_cancelled = Whole(help_text=_("Jobs that waited; everything is given back."))
    jobs_stopping = Whole(help_text=_("Jobs that render and stop at their next step."))
    cases_returned = Whole(help_text=_("Cases handed back to the desk."))


class ShownUnderWay(Shape):
    waiting_jobs = Whole()
    running_jobs = Whole()
    tokens = Whole()
    sessions = Whole()
    cases = Whole(help_text=_("In their hands at the desk."))
    programmes = Whole(help_text=_("Others that they are in."))


class LeavingAhead(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("What ending a membership would end"),
        answers=ShownUnderWay,
        refuses=(404,),
    )
    def get(self, _request: Request, party: str) -> Response:
        found = member_for(self.actor, party)
        ahead = under_way(found.programme_id, found.party_id)
        return self.answer(dict(ShownUnderWay(ahead).data))


class Leaving(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("End a membership"),
        words=_(
            "Roles, cohorts, tokens of the programme and every sign-in end at once; jobs that wait"
            " are cancelled, those that render stop. Finished work, credits to names and pay stay."
        ),
        asks=LeavingWish,
        answers=ShownEnd,
        refuses=(404, 409),
        example={"reason": "own_wish"},
    )
    def post(self, _request: Request, party: str) -> Response:
        found = member_for(self.actor, party)
        ended = offboard_member(
            programme_id=self.actor.programme,
            party_id=found.party_id,
            reason=Why(self.asked()["reason"]),
            actor=self.actor,
        )
        return self.answer(_shown(ended))


class LeavingEverywhere(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("End every membership and close the account"),
        words=_("By administrators. As above, in all programmes at once; nobody signs in with it."),
        asks=LeavingWish,
        answers=ShownEnd,
        refuses=(404, 409),
        example={"reason": "safety"},
    )
    def post(self, _request: Request, party: str) -> Response:
        person = person_for(self.actor, party)
        ended = offboard_everywhere(
            party_id=person.party_id, reason=Why(self.asked()["reason"]), actor=self.actor
        )
        return self.answer(_shown(ended))


def _shown(ended: Ended) -> dict[str, Any]:
    return dict(ShownEnd(asdict(ended)).data)


urlpatterns = [
    path("people/<str:party>/under-way", LeavingAhead.as_view(), name="api-under-way"),
    path("people/<str:party>/offboard", Leaving.as_view(), name="api-offboard"),
    path(
        "people/<str:party>/offboard-everywhere",
        LeavingEverywhere.as_view(),
        name="api-offboard-everywhere",
    ),
]
