"""A clip's review for whoever made it: put forward, follow, withdraw, appeal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, PublicId, Shape, Text, TimesWish, operation, page_of, within
from core.clock import now
from core.ids import shown
from review.chains.words import appeal_standing, last_word_of, standing_case
from review.credits.rules import DisplayForm
from review.decisions.commands import file_appeal
from review.decisions.models import Decision
from review.decisions.rules import Outcome
from review.decisions.words import spots_of_decision
from review.submissions.commands import submit_clip, withdraw_submission
from review.submissions.models import Submission
from review.submissions.queries import Place, places_of, submission_for, submissions_asked_for
from review.submissions.rules import OPEN, CaseKind, State


class ClauseShown(Shape):
    number = serializers.IntegerField()
    ground = serializers.CharField()
    title = serializers.CharField()
    words = serializers.CharField()


class SpotShown(Shape):
    frames = serializers.ListField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text=_("First and last frame, both counted in, from 0."),
    )
    quote = serializers.CharField(
        allow_null=True, help_text=_("Words of the prompt, as they stand there.")
    )


class DecisionShown(Shape):
    round = serializers.IntegerField(help_text=_("1 is the first decision, 2 the appeal's."))
    outcome = serializers.ChoiceField(Outcome.choices)
    by = serializers.CharField(help_text=_("In which role it was decided; never who."))
    clause = ClauseShown(allow_null=True)
    reason = serializers.CharField()
    remedy = serializers.CharField(
        help_text=_("What would make it right, where changes are asked.")
    )
    reversal = serializers.CharField(help_text=_("Why an appeal overturned it, else empty."))
    evidence = SpotShown(many=True)
    decided_at = serializers.DateTimeField()


class AppealShown(Shape):
    may_appeal = serializers.BooleanField()
    until = serializers.DateTimeField(
        allow_null=True, help_text=_("Until when the first decision can be appealed.")
    )
    filed_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(allow_null=True)


class SubmissionShown(Shape):
    id = PublicId("submission")
    url = serializers.CharField()
    clip = PublicId("clip")
    master_sha256 = serializers.CharField()
    kind = serializers.ChoiceField(CaseKind.choices, help_text=_("Of the case that counts now."))
    state = serializers.ChoiceField(State.choices)
    place = serializers.IntegerField(
        allow_null=True, help_text=_("Among those waiting, from 1; null when it does not wait.")
    )
    waiting = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField()
    is_overdue = serializers.BooleanField(help_text=_("Open, and past the time that was promised."))
    note = serializers.CharField()
    policy = serializers.IntegerField(help_text=_("The version of the clauses it is judged by."))
    charter = serializers.IntegerField(help_text=_("The version of the clock."))
    answers = PublicId(
        "submission",
        allow_null=True,
        help_text=_("The submission whose requested changes this one makes."),
    )
    decision = DecisionShown(allow_null=True, help_text=_("The last word on it."))
    decisions = DecisionShown(many=True, help_text=_("All of them, the first one first."))
    appeal = AppealShown()
    sealed_at = serializers.DateTimeField()


class NewSubmission(Shape):
    clip = Text(help_text=_("A clip of yours, clp_…"))
    note = Text(
        required=False, default="", allow_blank=True, help_text=_("What the reviewer should know.")
    )
    display_form = serializers.ChoiceField(
        DisplayForm.choices,
        default=DisplayForm.NONE,
        help_text=_("How you are named on release, where the clip has no credit line of yours."),
    )


class NewAppeal(Shape):
    text = Text(help_text=_("Why the decision is wrong."))


class SubmissionsWish(TimesWish):
    clip = PublicId("clip", required=False, help_text=_("Only of this clip."))
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only with a case that stands there.")
    )


class Submissions(Endpoint):
    @operation(
        scope=Scope.SUBMISSIONS_READ,
        summary=_("List what you put forward"),
        words=_("Of this programme, newest first, each with where it stands."),
        query=SubmissionsWish,
        answers=SubmissionShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        mine = within(submissions_asked_for(self.actor, wish), wish, "sealed_at")
        page = page_of(mine, wish, by=("-sealed_at", "-id"))
        cases = {one.id: standing_case(one).id for one in page.rows}
        places, moment = places_of(cases.values()), now()
        return self.answer(
            page.shown([_shown(one, places.get(cases[one.id]), moment) for one in page.rows])
        )

    @operation(
        scope=Scope.SUBMISSIONS_CREATE,
        summary=_("Put a clip forward for review"),
        words=_(
            "Seals its master, recipe, credits and the policy in force, and opens a case. Send an"
            " Idempotency-Key, so that trying again never does it twice. Approval publishes"
            " nothing: releasing is your own act."
        ),
        answers=SubmissionShown,
        status=201,
        asks=NewSubmission,
        is_repeatable=True,
        refuses=(404, 409, 503),
        example={"clip": "clp_01hzy3v0r6f8tq9m2k7w5x4d3c", "note": "The face is a mask."},
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        first: dict[str, Any] = {}

        def answer(made: Submission) -> tuple[int, Any]:
            first.update(_now(self.actor, shown("submission", made.id)))
            return self.operation.status, first

        made = submit_clip(
            actor=self.actor,
            clip_id=asked["clip"],
            note=asked["note"],
            display_form=DisplayForm(asked["display_form"]),
            once=self.once(),
            answer=answer,
        )
        return self.answer(first or _now(self.actor, shown("submission", made.id)))


class OneSubmission(Endpoint):
    @operation(
        scope=Scope.SUBMISSIONS_READ,
        summary=_("Read one submission"),
        words=_("Where it stands, what was decided and why, and whether you can appeal."),
        answers=SubmissionShown,
        refuses=(404,),
    )
    def get(self, request: Request, submission_id: str) -> Response:
        return self.answer(_now(self.actor, submission_id))


class Withdrawals(Endpoint):
    @operation(
        scope=Scope.SUBMISSIONS_CREATE,
        summary=_("Withdraw a submission, or its appeal"),
        words=_("While nothing is decided. Withdrawing twice is fine."),
        answers=SubmissionShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, submission_id: str) -> Response:
        withdraw_submission(actor=self.actor, submission_id=submission_id)
        return self.answer(_now(self.actor, submission_id))


class Appeals(Endpoint):
    @operation(
        scope=Scope.SUBMISSIONS_CREATE,
        summary=_("Appeal"),
        words=_(
            "Once, against a decline or a request for changes, while the charter says so."
            " Somebody who did not decide before judges it, and that is the last word."
        ),
        answers=SubmissionShown,
        status=201,
        asks=NewAppeal,
        is_repeatable=True,
        refuses=(404, 409),
        example={"text": "The face in frames 96 to 121 is a mask I made."},
    )
    def post(self, request: Request, submission_id: str) -> Response:
        submission_for(self.actor, submission_id)  # before the body: somebody else's is absent
        first: dict[str, Any] = {}

        def answer(_appeal: Any) -> tuple[int, Any]:
            first.update(_now(self.actor, submission_id))
            return self.operation.status, first

        file_appeal(
            actor=self.actor,
            submission_id=submission_id,
            once=self.once(),
            answer=answer,
            **self.asked(),
        )
        return self.answer(first or _now(self.actor, submission_id))


def _now(actor: Any, submission_id: str) -> dict[str, Any]:
    found = submission_for(actor, submission_id)
    case = standing_case(found)
    return _shown(found, places_of([case.id]).get(case.id), now())


def _shown(one: Submission, place: Place | None, moment: datetime) -> dict[str, Any]:
    case = standing_case(one)
    appeal = appeal_standing(one, moment)
    decisions = [
        decision
        for each in one.cases.all()
        if (decision := getattr(each, "decision", None)) is not None
    ]
    last = last_word_of(one)
    facts = {
        "id": one.id,
        "url": reverse("api-submission", args=[shown("submission", one.id)]),
        "clip": one.clip_id,
        "master_sha256": one.master_sha256,
        "kind": case.kind,
        "state": case.state,
        "place": place.place if place else None,
        "waiting": place.waiting if place else None,
        "due_at": case.due_at,
        "is_overdue": case.state in OPEN and case.due_at <= moment,
        "note": one.note,
        "policy": one.policy.number,
        "charter": one.charter.number,
        "answers": one.answers_id,
        "decision": _decision(last, one.clip.prompt) if last else None,
        "decisions": [_decision(each, one.clip.prompt) for each in decisions],
        "appeal": {
            "may_appeal": appeal.is_open,
            "until": appeal.until,
            "filed_at": appeal.appeal.filed_at if appeal.appeal else None,
            "text": appeal.appeal.text if appeal.appeal else None,
        },
        "sealed_at": one.sealed_at,
    }
    return dict(SubmissionShown(facts).data)


def _decision(decision: Decision, prompt: str) -> dict[str, Any]:
    return {
        "round": decision.round,
        "outcome": decision.outcome,
        "by": "reviewer",
        "clause": decision.clause,
        "reason": decision.reason,
        "remedy": decision.remedy,
        "reversal": decision.reversal,
        "evidence": [
            {
                "frames": list(spot.frames) if spot.frames else None,
                "quote": prompt[slice(*spot.prompt)] if spot.prompt else None,
            }
            for spot in spots_of_decision(decision)
        ],
        "decided_at": decision.decided_at,
    }


urlpatterns = [
    path("submissions", Submissions.as_view(), name="api-submissions"),
    path("submissions/<str:submission_id>", OneSubmission.as_view(), name="api-submission"),
    path(
        "submissions/<str:submission_id>/withdraw",
        Withdrawals.as_view(),
        name="api-withdraw-submission",
    ),
    path("submissions/<str:submission_id>/appeal", Appeals.as_view(), name="api-file-appeal"),
]
