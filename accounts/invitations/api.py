"""Invitations over the native API: to the programme one looks after, and among administrators.

A link is never answered: it reaches its reader by the letter alone.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.invitations.commands import (
    invite_administrator,
    invite_many,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from accounts.invitations.lists import MOST_BYTES
from accounts.invitations.models import Invitation
from accounts.invitations.queries import (
    NEWEST_FIRST,
    administrator_invitations,
    invitation_for,
    invitations_of,
)
from accounts.programmes.models import Role
from core.api import Endpoint, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.ids import shown


class ShownInvitation(Shape):
    id = PublicId("invitation")
    url = Text()
    email = Text(help_text=_("Kept while the invitation is open, and no longer."))
    role = Text()
    cohort = PublicId("cohort", allow_null=True)
    language = Text(
        help_text=_("Of the letter and the first page; empty: as the programme has it.")
    )
    number = Whole(help_text=_("Which sending it is; only the link of the newest opens."))
    made_by = PublicId("party", allow_null=True)
    made_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(help_text=_("The newest sending."))
    expires_at = serializers.DateTimeField()


class InvitationWish(Shape):
    email = Text()
    role = serializers.ChoiceField(Role.choices, default=Role.TESTER.value)
    cohort = PublicId("cohort", required=False, allow_null=True, default=None)
    language = Text(required=False, allow_blank=True, default="")


class AdministratorWish(Shape):
    email = Text()
    language = Text(required=False, allow_blank=True, default="")


class ListWish(Shape):
    csv = Text(
        max_length=MOST_BYTES,
        help_text=_(
            "At most 300 lines: email, and where wanted language and name, with a heading or in"
            " this order. People say their own name when they come; it is passed over here."
        ),
    )
    role = serializers.ChoiceField(Role.choices, default=Role.TESTER.value)
    cohort = PublicId("cohort", required=False, allow_null=True, default=None)


class ShownFault(Shape):
    line = Whole()
    code = Text()
    sentence = Text()
    text = Text(help_text=_("What stood there, in quotation marks."))
    invitation = Text(
        allow_null=True, help_text=_("The open invitation that can be sent again instead.")
    )


class ShownList(Shape):
    invited = ShownInvitation(many=True)
    faults = ShownFault(many=True, help_text=_("Lines that were passed over, in their order."))


class WithdrawnInvitation(Shape):
    id = PublicId("invitation")


class Invitations(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("Open invitations"),
        words=_("To the programme, newest first."),
        answers=ShownInvitation,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        page = page_of(invitations_of(self.actor), self.asked_in_query(), by=NEWEST_FIRST)
        return self.answer(page.shown([_shown(row) for row in page.rows]))

    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Invite somebody"),
        words=_("The letter goes out by itself. Asking again for the same address is refused."),
        asks=InvitationWish,
        answers=ShownInvitation,
        status=201,
        refuses=(404, 409),
        example={"email": "ada@example.org", "role": "tester"},
    )
    def post(self, _request: Request) -> Response:
        asked = self.asked()
        invitation = invite_member(
            actor=self.actor,
            email=asked["email"],
            role=Role(asked["role"]),
            cohort_id=asked["cohort"],
            language=asked["language"],
        )
        return self.answer(_shown(invitation))


class OneInvitation(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("One open invitation"),
        answers=ShownInvitation,
        refuses=(404,),
    )
    def get(self, _request: Request, invitation: str) -> Response:
        return self.answer(_shown(invitation_for(self.actor, invitation)))


class InvitationList(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Invite everybody on a list"),
        words=_("Faulty lines are told by their number, the rest is invited. Twice is harmless."),
        asks=ListWish,
        answers=ShownList,
        refuses=(404,),
        example={"csv": "email,language\nada@example.org,en\n", "role": "tester"},
    )
    def post(self, _request: Request) -> Response:
        asked = self.asked()
        result = invite_many(
            actor=self.actor,
            csv_bytes=asked["csv"].encode(),
            role=Role(asked["role"]),
            cohort_id=asked["cohort"],
        )
        told = {
            "invited": [_facts(invitation) for invitation in result.invited],
            "faults": [asdict(fault) for fault in result.faults],
        }
        return self.answer(dict(ShownList(told).data))


class Resending(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Send an invitation again"),
        words=_(
            "Another link for another week; the one before opens no more. Five minutes lie between"
            " two sendings, and a programme sends thirty again in that time at most."
        ),
        answers=ShownInvitation,
        refuses=(404, 429),
    )
    def post(self, _request: Request, invitation: str) -> Response:
        found = invitation_for(self.actor, invitation)
        again = resend_invitation(invitation_id=found.id, actor=self.actor)
        return self.answer(_shown(again))


class Revocation(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Withdraw an invitation"),
        words=_("Its link opens no more, and the address is forgotten."),
        answers=WithdrawnInvitation,
        refuses=(404,),
    )
    def post(self, _request: Request, invitation: str) -> Response:
        found = invitation_for(self.actor, invitation)
        revoke_invitation(invitation_id=found.id, actor=self.actor)
        return self.answer(dict(WithdrawnInvitation({"id": found.id}).data))


class AdministratorInvitations(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("Open invitations among the administrators"),
        words=_("For administrators."),
        answers=ShownInvitation,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        rows = administrator_invitations(self.actor)
        page = page_of(rows, self.asked_in_query(), by=NEWEST_FIRST)
        return self.answer(page.shown([_shown(row) for row in page.rows]))

    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("Invite an administrator"),
        words=_("By an administrator."),
        asks=AdministratorWish,
        answers=ShownInvitation,
        status=201,
        refuses=(404, 409),
        example={"email": "grace@example.org"},
    )
    def post(self, _request: Request) -> Response:
        return self.answer(_shown(invite_administrator(actor=self.actor, **self.asked())))


def _shown(invitation: Invitation) -> dict[str, Any]:
    return dict(ShownInvitation(_facts(invitation)).data)


def _facts(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "url": reverse("api-invitation", args=[shown("invitation", invitation.id)]),
        "email": invitation.email,
        "role": invitation.role,
        "cohort": invitation.cohort_id,
        "language": invitation.language,
        "number": invitation.number,
        "made_by": invitation.made_by_id,
        "made_at": invitation.made_at,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
    }


urlpatterns = [
    path("invitations", Invitations.as_view(), name="api-invitations"),
    path("invitations/list", InvitationList.as_view(), name="api-invitation-list"),
    path("invitations/<str:invitation>", OneInvitation.as_view(), name="api-invitation"),
    path("invitations/<str:invitation>/resend", Resending.as_view(), name="api-invitation-resend"),
    path("invitations/<str:invitation>/revoke", Revocation.as_view(), name="api-invitation-revoke"),
    path(
        "administrators/invitations",
        AdministratorInvitations.as_view(),
        name="api-administrator-invitations",
    ),
]
