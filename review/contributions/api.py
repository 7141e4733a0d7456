"""Contributions: file one, follow it; for staff, the list to answer and the answer."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import (
    Endpoint,
    PageWish,
    PublicId,
    Shape,
    Text,
    TimesWish,
    Whole,
    only,
    operation,
    page_of,
    within,
)
from core.ids import shown
from review.contributions.commands import file_contribution, triage_contribution
from review.contributions.models import Contribution
from review.contributions.queries import (
    contribution_for,
    contributions_of,
    contributions_to_triage,
)
from review.contributions.rules import DeclineReason, Kind, State, Wish


class ContributionWish(Shape):
    kind = serializers.ChoiceField(Kind.choices)
    title = Text(help_text=_("One line of 1 to 120 characters."))
    words = Text(help_text=_("1 to 8,000 characters of plain text."))
    clip = Text(required=False, help_text=_("A clip of yours; without it, the whole programme."))
    frame_from = Whole(required=False, help_text=_("Counted from 0; only with a clip."))
    frame_to = Whole(required=False)


class TriageWish(Shape):
    accept = serializers.BooleanField()
    decline_reason = serializers.ChoiceField(
        DeclineReason.choices, required=False, help_text=_("Needed to decline.")
    )
    answer = Text(
        required=False,
        allow_blank=True,
        help_text=_("Its maker reads it; at least 20 characters to decline."),
    )


class ShownContribution(Shape):
    id = PublicId("contribution")
    url = Text()
    kind = serializers.ChoiceField(Kind.choices)
    title = Text()
    words = Text()
    clip = PublicId("clip", allow_null=True)
    frame_from = Whole(allow_null=True)
    frame_to = Whole(allow_null=True)
    state = serializers.ChoiceField(State.choices)
    rate = PublicId("rate", allow_null=True, help_text=_("The rate in force when it was filed."))
    rate_micro = Whole(
        allow_null=True, help_text=_("What it earns if accepted, in micro-units; null: nothing.")
    )
    currency = Text(allow_null=True)
    decline_reason = Text(help_text=_("Empty unless it was declined."))
    answer = Text()
    filed_at = serializers.DateTimeField()
    triaged_at = serializers.DateTimeField(allow_null=True)


class ContributionsWish(TimesWish):
    kind = serializers.ChoiceField(Kind.choices, required=False, help_text=_("Only of this kind."))
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only those that stand there.")
    )


class Contributions(Endpoint):
    @operation(
        scope=Scope.CONTRIBUTIONS_READ,
        summary=_("Your contributions"),
        words=_("Of this programme, newest first."),
        answers=ShownContribution,
        query=ContributionsWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        wish = self.asked_in_query()
        mine = only(contributions_of(self.actor), wish, kind="kind", state="state")
        mine = within(mine, wish, "filed_at")
        page = page_of(mine, wish, by=("-filed_at", "-id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))

    @operation(
        scope=Scope.CONTRIBUTIONS_CREATE,
        summary=_("File a contribution"),
        words=_("If it is accepted, it earns the rate in force now."),
        asks=ContributionWish,
        answers=ShownContribution,
        status=201,
        is_repeatable=True,
        refuses=(404,),
        example={
            "kind": "bug_report",
            "title": "The lamp flickers",
            "words": "Between frames 2 and 3 the lamp is gone.",
        },
    )
    def post(self, _request: Request) -> Response:
        filed = file_contribution(
            actor=self.actor, wish=Wish(**self.asked()), once=self.once(), answer=self._kept
        )
        return self.answer(_shown(filed))

    def _kept(self, filed: Contribution) -> tuple[int, Any]:
        return self.operation.status, _shown(filed)


class ToTriage(Endpoint):
    @operation(
        scope=Scope.CONTRIBUTIONS_TRIAGE,
        summary=_("Contributions that wait for an answer"),
        words=_("Of others, the oldest first. For reviewers and programme managers."),
        answers=ShownContribution,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        waiting = contributions_to_triage(self.actor)
        page = page_of(waiting, self.asked_in_query(), by=("filed_at", "id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))


class OneContribution(Endpoint):
    @operation(
        scope=Scope.CONTRIBUTIONS_READ,
        summary=_("One contribution"),
        words=_("Yours; or anybody's, for those whose token may also answer them."),
        answers=ShownContribution,
        refuses=(404,),
    )
    def get(self, _request: Request, contribution: str) -> Response:
        return self.answer(_shown(contribution_for(self.actor, contribution)))


class Triage(Endpoint):
    @operation(
        scope=Scope.CONTRIBUTIONS_TRIAGE,
        summary=_("Answer a contribution"),
        words=_("For good. Accepted, its maker is owed the rate of its filing at once."),
        asks=TriageWish,
        answers=ShownContribution,
        refuses=(404, 409),
        example={"accept": True, "answer": "Found, thank you."},
    )
    def post(self, _request: Request, contribution: str) -> Response:
        answered = triage_contribution(
            actor=self.actor, contribution_id=contribution, **self.asked()
        )
        return self.answer(_shown(answered))


def _shown(row: Contribution) -> dict[str, Any]:
    facts = {
        "id": row.id,
        "url": reverse("api-contribution", args=[shown("contribution", row.id)]),
        "kind": row.kind,
        "title": row.title,
        "words": row.words,
        "clip": row.clip_id,
        "frame_from": row.frame_from,
        "frame_to": row.frame_to,
        "state": row.state,
        "rate": row.rate_id,
        "rate_micro": row.rate.amount_micro if row.rate else None,
        "currency": row.rate.currency if row.rate else None,
        "decline_reason": row.decline_reason,
        "answer": row.answer,
        "filed_at": row.filed_at,
        "triaged_at": row.triaged_at,
    }
    return dict(ShownContribution(facts).data)


urlpatterns = [
    path("contributions", Contributions.as_view(), name="api-contributions"),
    path("contributions/to-triage", ToTriage.as_view(), name="api-contributions-to-triage"),
    path("contributions/<str:contribution>", OneContribution.as_view(), name="api-contribution"),
    path(
        "contributions/<str:contribution>/triage",
        Triage.as_view(),
        name="api-contribution-triage",
    ),
]
