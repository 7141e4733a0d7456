"""The programme's people and their roles over the native API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.programmes.models import Membership, Role
from accounts.roles.commands import end_role, grant_role
from accounts.roles.queries import MEMBER_ORDER, last_seen, live_grants, member_for, members_of
from core.api import Endpoint, Moment, PageWish, PublicId, Shape, Text, operation, page_of
from core.ids import shown


class ShownGrant(Shape):
    role = Text()
    granted_by = PublicId("party", allow_null=True, help_text=_("Null: at the machine."))
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text=_("When it ends by itself; null where it does not.")
    )


class ShownMember(Shape):
    id = PublicId("party")
    url = Text()
    name = Text(help_text=_("Empty where the person said none, or was erased."))
    email = Text(help_text=_("Empty where the person was erased."))
    languages = serializers.ListField(child=Text(), help_text=_("Which they speak, as they say."))
    contact = Text(help_text=_("How else they can be reached, as they say."))
    roles = ShownGrant(many=True)
    joined_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(
        allow_null=True, help_text=_("The newest of their sign-ins and uses of a token.")
    )


class PeopleWish(PageWish):
    name = serializers.CharField(
        required=False, default="", help_text=_("Any part of a name or an address.")
    )
    role = serializers.ChoiceField(
        Role.choices, required=False, help_text=_("Only who holds this role now.")
    )
    cohort = PublicId(
        "cohort", required=False, default=None, help_text=_("Only who is in this cohort.")
    )


class RoleWish(Shape):
    role = serializers.ChoiceField(Role.choices)
    expires_at = Moment(
        required=False, allow_null=True, default=None, help_text=_("Null: until it is ended.")
    )


class RoleEnd(Shape):
    role = serializers.ChoiceField(Role.choices)


class People(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("The programme's people"),
        words=_("Who is in it now, the newest first."),
        answers=ShownMember,
        query=PeopleWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        asked = self.asked_in_query()
        found = members_of(
            self.actor, name=asked["name"], role=asked.get("role", ""), cohort_id=asked["cohort"]
        )
        page = page_of(found, asked, by=MEMBER_ORDER)
        seen = last_seen([row.party_id for row in page.rows])
        return self.answer(page.shown([_shown(row, seen.get(row.party_id)) for row in page.rows]))


class OneMember(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("One of the programme's people"),
        answers=ShownMember,
        refuses=(404,),
    )
    def get(self, _request: Request, party: str) -> Response:
        return self.answer(_one(member_for(self.actor, party)))


class Granting(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Give a role"),
        words=_(
            "Never to oneself, and never two that stay apart: finance and manager, auditor and"
            " anything else. Giving it again moves its end."
        ),
        asks=RoleWish,
        answers=ShownMember,
        refuses=(404, 409),
        example={"role": "reviewer", "expires_at": "2030-10-01T00:00:00Z"},
    )
    def post(self, _request: Request, party: str) -> Response:
        found, asked = member_for(self.actor, party), self.asked()
        grant_role(
            programme_id=found.programme_id,
            party_id=found.party_id,
            role=Role(asked["role"]),
            expires_at=asked["expires_at"],
            actor=self.actor,
        )
        return self.answer(_one(member_for(self.actor, party)))


class Ending(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("End a role"),
        words=_("The last manager's only by an administrator. Twice is fine."),
        asks=RoleEnd,
        answers=ShownMember,
        refuses=(404, 409),
        example={"role": "reviewer"},
    )
    def post(self, _request: Request, party: str) -> Response:
        found = member_for(self.actor, party)
        end_role(
            programme_id=found.programme_id,
            party_id=found.party_id,
            role=Role(self.asked()["role"]),
            actor=self.actor,
        )
        return self.answer(_one(member_for(self.actor, party)))


def _one(member: Membership) -> dict[str, Any]:
    return _shown(member, last_seen([member.party_id]).get(member.party_id))


def _shown(member: Membership, seen_at: datetime | None) -> dict[str, Any]:
    person = getattr(member.party, "person", None)
    facts = {
        "id": member.party_id,
        "url": reverse("api-member", args=[shown("party", member.party_id)]),
        "name": person.detail.display_name if person else "",
        "email": person.email if person else "",
        "languages": person.detail.languages if person else [],
        "contact": person.detail.contact if person else "",
        "roles": [
            {
                "role": grant.role,
                "granted_by": grant.granted_by_id,
                "granted_at": grant.granted_at,
                "expires_at": grant.expires_at,
            }
            for grant in live_grants(member)
        ],
        "joined_at": member.joined_at,
        "last_seen_at": seen_at,
    }
    return dict(ShownMember(facts).data)


urlpatterns = [
    path("people", People.as_view(), name="api-people"),
    path("people/<str:party>", OneMember.as_view(), name="api-member"),
    path("people/<str:party>/grant-role", Granting.as_view(), name="api-grant-role"),
    path("people/<str:party>/end-role", Ending.as_view(), name="api-end-role"),
]
