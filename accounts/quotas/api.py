"""Credits over the native API: the sum, and the reservations it comes from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.quotas.commands import grant_credits
from accounts.quotas.models import Kind, Reservation
from accounts.quotas.queries import credits_of, quota_of, reservations_of
from accounts.roles.queries import member_for
from core.api import Endpoint, PageWish, PublicId, Shape, Text, Whole, operation, page_of


class ShownQuota(Shape):
    """Whole credits. ``limit`` − ``spent`` − ``reserved`` is yours; ``left`` may be less."""

    kind = Text(help_text=gettext_lazy("“credits”."))
    limit = Whole(help_text=gettext_lazy("What you were granted."))
    reserved = Whole(help_text=gettext_lazy("Held for jobs under way."))
    spent = Whole()
    left = Whole(
        help_text=gettext_lazy(
            "What the next job may cost: the smallest rest among your budget, this token's and "
            "the programme's."
        )
    )


class ShownCredits(Shape):
    limit = Whole(help_text=gettext_lazy("What they were granted."))
    reserved = Whole(help_text=gettext_lazy("Held for jobs under way."))
    spent = Whole()
    left = Whole()


class CreditsWish(Shape):
    limit = Whole(help_text=gettext_lazy("At least what is reserved and spent."))


class ShownReservation(Shape):
    id = PublicId("reservation")
    job = PublicId("job")
    kind = Text()
    amount = Whole(help_text=gettext_lazy("What was held: the price that was shown."))
    charged = Whole(
        allow_null=True, help_text=gettext_lazy("What of it was spent; null while it is held.")
    )
    state = Text(help_text=gettext_lazy("“held”, “settled” or “released”."))
    made_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class Quota(Endpoint):
    @operation(
        scope=Scope.QUOTA_READ, summary=gettext_lazy("What you may still use"), answers=ShownQuota
    )
    def get(self, _request: Request) -> Response:
        actor = self.actor
        sums = quota_of(
            programme_id=actor.programme,
            party_id=actor.party_id,
            lineage_id=actor.lineage_id,
            kind=Kind.CREDITS,
        )
        facts = {
            "kind": Kind.CREDITS.value,
            "limit": sums.limit,
            "reserved": sums.reserved,
            "spent": sums.spent,
            "left": sums.left,
        }
        return self.answer(dict(ShownQuota(facts).data))


class Reservations(Endpoint):
    @operation(
        scope=Scope.QUOTA_READ,
        summary=gettext_lazy("What your credits went to"),
        words=gettext_lazy("Newest first: one line for each job that ever held credits."),
        answers=ShownReservation,
        query=PageWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        mine = reservations_of(self.actor.party_id, self.actor.programme)
        page = page_of(mine, self.asked_in_query(), by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))


def _shown(row: Reservation) -> dict[str, Any]:
    facts = {
        "id": row.id,
        "job": row.work_id,
        "kind": row.kind,
        "amount": row.amount,
        "charged": row.settled,
        "state": row.state,
        "made_at": row.made_at,
        "ended_at": row.ended_at,
    }
    return dict(ShownReservation(facts).data)


class MemberCredits(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=gettext_lazy("A member's credits"),
        words=gettext_lazy("Their own budget in the programme."),
        answers=ShownCredits,
        refuses=(404,),
    )
    def get(self, _request: Request, party: str) -> Response:
        member = member_for(self.actor, party)
        return self.answer(_credits(member.programme_id, member.party_id))

    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=gettext_lazy("Set a member's credits"),
        words=gettext_lazy("The whole limit, not what is added; never one's own."),
        asks=CreditsWish,
        answers=ShownCredits,
        refuses=(404,),
        example={"limit": 600},
    )
    def patch(self, _request: Request, party: str) -> Response:
        member = member_for(self.actor, party)
        grant_credits(
            programme_id=member.programme_id,
            party_id=member.party_id,
            limit=self.asked()["limit"],
            actor=self.actor,
        )
        return self.answer(_credits(member.programme_id, member.party_id))


def _credits(programme_id: UUID, party_id: UUID) -> dict[str, Any]:
    return dict(ShownCredits(asdict(credits_of(programme_id, party_id))).data)


urlpatterns = [
    path("people/<str:party>/credits", MemberCredits.as_view(), name="api-member-credits"),
    path("quota", Quota.as_view()),
    path("quota/reservations", Reservations.as_view()),
]
