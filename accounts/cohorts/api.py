"""Cohorts over the native API."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.cohorts.commands import end_cohort, make_cohort, seat_member, unseat_member
from accounts.cohorts.models import Cohort
from accounts.cohorts.queries import cohort_for, cohorts_of
from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.ids import shown


class ShownCohort(Shape):
    id = PublicId("cohort")
    url = Text()
    name = Text()
    members = Whole(help_text=_("How many members have a seat in it now."))
    made_at = serializers.DateTimeField()


class CohortWish(Shape):
    name = Text()


class SeatWish(Shape):
    party = PublicId("party", help_text=_("A member of the programme."))


class EndedCohort(Shape):
    id = PublicId("cohort")


class Cohorts(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("The programme's cohorts"),
        answers=ShownCohort,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        page = page_of(cohorts_of(self.actor), self.asked_in_query(), by=("name", "id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))

    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Make a cohort"),
        words=_("It names members, to invite and to write to together. It gives no right."),
        asks=CohortWish,
        answers=ShownCohort,
        status=201,
        refuses=(404,),
        example={"name": "Spring artists"},
    )
    def post(self, _request: Request) -> Response:
        made = make_cohort(
            programme_id=self.actor.programme, name=self.asked()["name"], actor=self.actor
        )
        return self.answer(_shown(_found(self.actor, made)))


class OneCohort(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ, summary=_("One cohort"), answers=ShownCohort, refuses=(404,)
    )
    def get(self, _request: Request, cohort: str) -> Response:
        return self.answer(_shown(cohort_for(self.actor, cohort)))


class Ending(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("End a cohort"),
        words=_("Its seats end with it; memberships and roles are untouched."),
        answers=EndedCohort,
        refuses=(404,),
    )
    def post(self, _request: Request, cohort: str) -> Response:
        found = cohort_for(self.actor, cohort)
        end_cohort(cohort_id=found.id, actor=self.actor)
        return self.answer(dict(EndedCohort({"id": found.id}).data))


class Seating(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Take a member into a cohort"),
        words=_("Twice is fine."),
        asks=SeatWish,
        answers=ShownCohort,
        refuses=(404,),
        example={"party": "par_01a211e12e9779bebaf2c70ab4"},
    )
    def post(self, _request: Request, cohort: str) -> Response:
        found = cohort_for(self.actor, cohort)
        seat_member(cohort_id=found.id, party_id=self.asked()["party"], actor=self.actor)
        return self.answer(_shown(_found(self.actor, found)))


class Unseating(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Take a member out of a cohort"),
        words=_("They stay in the programme. Twice is fine."),
        asks=SeatWish,
        answers=ShownCohort,
        refuses=(404,),
        example={"party": "par_01a211e12e9779bebaf2c70ab4"},
    )
    def post(self, _request: Request, cohort: str) -> Response:
        found = cohort_for(self.actor, cohort)
        unseat_member(cohort_id=found.id, party_id=self.asked()["party"], actor=self.actor)
        return self.answer(_shown(_found(self.actor, found)))


def _found(actor: Any, cohort: Cohort) -> Cohort:
    return cohort_for(actor, shown("cohort", cohort.id))


def _shown(cohort: Any) -> dict[str, Any]:
    facts = {
        "id": cohort.id,
        "url": reverse("api-cohort", args=[shown("cohort", cohort.id)]),
        "name": cohort.name,
        "members": cohort.members,
        "made_at": cohort.made_at,
    }
    return dict(ShownCohort(facts).data)


urlpatterns = [
    path("cohorts", Cohorts.as_view(), name="api-cohorts"),
    path("cohorts/<str:cohort>", OneCohort.as_view(), name="api-cohort"),
    path("cohorts/<str:cohort>/end", Ending.as_view(), name="api-cohort-end"),
    path("cohorts/<str:cohort>/seat", Seating.as_view(), name="api-cohort-seat"),
    path("cohorts/<str:cohort>/unseat", Unseating.as_view(), name="api-cohort-unseat"),
]
