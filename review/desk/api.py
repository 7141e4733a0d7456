"""The review desk over the native API: the queue, one case, and what its reviewer does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.api import (
    Endpoint,
    PageWish,
    PublicId,
    Ratio,
    Seconds,
    Shape,
    Text,
    Whole,
    operation,
    page_of,
)
from core.clock import now
from core.errors import Absent
from core.ids import shown
from generation.clips.queries import clip_for
from review.decisions.commands import VerdictWish, press_verdict, take_back_verdict
from review.decisions.models import Decision, Verdict
from review.decisions.queries import decisions_of_chains
from review.decisions.rules import Outcome, Reversal
from review.decisions.words import Spot, spots_of_decision, spots_of_verdict
from review.desk.commands import claim_next_case, note_reading, renew_case_lease, return_case
from review.desk.queries import (
    DESK_ORDER,
    bars_of,
    case_for,
    cases_decided_by,
    desk_counts,
    desk_places,
    queue_asked_for,
)
from review.submissions.models import Case
from review.submissions.rules import OPEN, CaseKind, SkipReason, State

LARGEST_NUMBER = 2**31 - 1


class LeaseShown(Shape):
    number = serializers.IntegerField(help_text=_("To be named in whatever is done under it."))
    until = serializers.DateTimeField()


class CaseShown(Shape):
    id = PublicId("case")
    url = serializers.CharField()
    kind = serializers.ChoiceField(CaseKind.choices)
    round = serializers.IntegerField()
    state = serializers.ChoiceField(State.choices)
    clip = PublicId("clip")
    prompt = serializers.CharField()
    place = serializers.IntegerField(
        allow_null=True, help_text=_("Among those waiting, from 1; null when it does not wait.")
    )
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    is_overdue = serializers.BooleanField(help_text=_("Open, and past the time that was promised."))
    is_escalated = serializers.BooleanField()
    is_yours = serializers.BooleanField(help_text=_("Whether it is in your hands."))
    bar = serializers.CharField(
        allow_null=True, help_text=_("Why you may not judge it: a code; null where you may.")
    )
    lease = LeaseShown(allow_null=True, help_text=_("Yours; nobody else's is shown."))


class FileShown(Shape):
    kind = serializers.CharField()
    url = serializers.CharField(help_text=_("Where its bytes are, for the same credential."))
    media_type = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class FactsShown(Shape):
    model = serializers.CharField()
    revision = serializers.CharField()
    tier = serializers.CharField()
    seed = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    generated_width = serializers.IntegerField()
    generated_height = serializers.IntegerField()
    frames = serializers.IntegerField()
    frame_rate = Ratio()
    seconds = Seconds()
    master_sha256 = serializers.CharField()
    files = FileShown(
        many=True, help_text=_("Empty unless you have the case, or said why you look.")
    )


class ClauseOfCase(Shape):
    number = serializers.IntegerField()
    ground = serializers.CharField()
    title = serializers.CharField()
    words = serializers.CharField()


class SpotOfCase(Shape):
    frames = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    quote = serializers.CharField(allow_null=True)


class Judged(Shape):
    outcome = serializers.ChoiceField(Outcome.choices)
    clause = serializers.IntegerField(allow_null=True, help_text=_("Its number."))
    reason = serializers.CharField()
    remedy = serializers.CharField()
    reversal = serializers.CharField()
    evidence = SpotOfCase(many=True)


class VerdictShown(Judged):
    case = PublicId("case")
    pressed_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField(
        help_text=_("When it takes effect, if it is not taken back. Nobody sees it before.")
    )
    mark = serializers.CharField(
        help_text=_("Which verdict it is: to be named as “replaces” by the one in its place.")
    )


class DecidedShown(Judged):
    round = serializers.IntegerField()
    by = serializers.CharField(help_text=_("In which role; never who."))
    decided_at = serializers.DateTimeField()


class CaseWhole(CaseShown):
    facts = FactsShown(help_text=_("Of the clip."))
    note = serializers.CharField(help_text=_("What its maker says."))
    policy = serializers.IntegerField()
    clauses = ClauseOfCase(many=True)
    chain = DecidedShown(many=True, help_text=_("What was decided in this chain so far."))
    appeal = serializers.CharField(
        allow_null=True, help_text=_("What its maker answers to the first decision.")
    )
    verdict = VerdictShown(allow_null=True, help_text=_("What you pressed and can take back."))


class Claimed(Shape):
    case = CaseWhole(allow_null=True, help_text=_("Null where nothing waits that you may judge."))


class LeaseWish(Shape):
    lease_number = Whole(min_value=0, max_value=LARGEST_NUMBER)


class ReturnWish(Shape):
    why = serializers.ChoiceField(SkipReason.choices)


class VerdictAsked(Shape):
    outcome = serializers.ChoiceField(Outcome.choices)
    lease_number = Whole(
        min_value=0, max_value=LARGEST_NUMBER, help_text=_("Of the lease it is decided under.")
    )
    clause = Whole(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=LARGEST_NUMBER,
        help_text=_("The number of a clause of the case, unless you approve."),
    )
    reason = Text(required=False, default="", allow_blank=True)
    remedy = Text(
        required=False,
        default="",
        allow_blank=True,
        help_text=_("What would make it right, where changes are asked."),
    )
    reversal = serializers.ChoiceField(
        Reversal.choices,
        required=False,
        default="",
        allow_blank=True,
        help_text=_("Why an appeal is overturned."),
    )
    frames = serializers.ListField(
        child=serializers.ListField(child=Whole(), min_length=2, max_length=2),
        required=False,
        default=list,
        max_length=50,
        help_text=_("Pairs of first and last frame, both counted in, from 0."),
    )
    quotes = serializers.ListField(
        child=Text(),
        required=False,
        default=list,
        max_length=50,
        help_text=_("Words of the prompt, as they stand there."),
    )
    replaces = Text(
        required=False,
        default="",
        allow_blank=True,
        help_text=_(
            "The mark of your pending verdict that this one is to replace. Where another one"
            " stands the answer is 409 with its mark and outcome."
        ),
    )


class CasesWish(PageWish):
    state = serializers.ChoiceField(
        [(each.value, each.label) for each in State if each in OPEN],
        required=False,
        help_text=_("Only those that wait, or that somebody has."),
    )
    kind = serializers.ChoiceField(
        CaseKind.choices, required=False, help_text=_("Only of this kind.")
    )
    is_yours = serializers.BooleanField(
        required=False, help_text=_("true: only those in your hands; false: only the others.")
    )
    is_overdue = serializers.BooleanField(
        required=False, help_text=_("true: only those past their time; false: only the others.")
    )


class ShownCounts(Shape):
    waiting = serializers.IntegerField()
    claimed = serializers.IntegerField(help_text=_("In somebody's hands."))
    overdue = serializers.IntegerField(help_text=_("Among both: past the promised time."))
    mine = serializers.IntegerField(help_text=_("In your hands."))


class Counts(Endpoint):
    @operation(
        scope=Scope.CASES_READ,
        summary=_("Count the desk's open cases"),
        answers=ShownCounts,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        return self.answer(dict(ShownCounts(desk_counts(self.actor)).data))


class Decided(Endpoint):
    @operation(
        scope=Scope.CASES_READ,
        summary=_("List the cases that you decided"),
        words=_("The latest first. For reviewers, managers and auditors; theirs alone to each."),
        query=PageWish,
        answers=CaseShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        rows = cases_decided_by(self.actor)
        page = page_of(rows, self.asked_in_query(), by=("-closed_at", "-id"))
        return self.answer(page.shown(_many(self.actor, page.rows)))


class Cases(Endpoint):
    @operation(
        scope=Scope.CASES_READ,
        summary=_("List the desk's queue"),
        words=_(
            "Open cases of the programme: what escalated first, then everybody in turn. Without"
            " your own work. For reviewers, managers and auditors."
        ),
        query=CasesWish,
        answers=CaseShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        page = page_of(queue_asked_for(self.actor, wish), wish, by=DESK_ORDER)
        return self.answer(page.shown(_many(self.actor, page.rows)))


class Claim(Endpoint):
    @operation(
        scope=Scope.CASES_DECIDE,
        summary=_("Take the next case"),
        words=_(
            "The head of the queue that you may judge, for ten minutes; renew it while you look."
            " Three at most are in one pair of hands. Its maker sees that a reviewer opened it."
        ),
        answers=Claimed,
        refuses=(404, 409),
    )
    def post(self, request: Request) -> Response:
        case = claim_next_case(actor=self.actor)
        found = case_for(self.actor, shown("case", case.id)) if case else None
        return self.answer({"case": _whole(self.actor, found) if found else None})


class OneCase(Endpoint):
    @operation(
        scope=Scope.CASES_READ,
        summary=_("Read one case"),
        words=_(
            "With the clip's facts, the clauses it is judged by and what was decided before. Closed"
            " ones stay readable, as precedents; that you read one stands on its record."
        ),
        answers=CaseWhole,
        refuses=(404,),
    )
    def get(self, request: Request, case_id: str) -> Response:
        case = case_for(self.actor, case_id)
        note_reading(actor=self.actor, case=case)
        return self.answer(_whole(self.actor, case))


class Renewals(Endpoint):
    @operation(
        scope=Scope.CASES_DECIDE,
        summary=_("Keep a case for ten minutes more"),
        answers=CaseShown,
        asks=LeaseWish,
        refuses=(404, 409),
        example={"lease_number": 1},
    )
    def post(self, request: Request, case_id: str) -> Response:
        case_for(self.actor, case_id)  # before the body: what is not theirs is absent
        case = renew_case_lease(actor=self.actor, case_id=case_id, **self.asked())
        return self.answer(_one(self.actor, case))


class Returns(Endpoint):
    @operation(
        scope=Scope.CASES_DECIDE,
        summary=_("Hand a case back"),
        words=_("For a reason of the list. It goes to its old place, and not to you again."),
        answers=CaseShown,
        asks=ReturnWish,
        refuses=(404, 409),
        example={"why": "unsure"},
    )
    def post(self, request: Request, case_id: str) -> Response:
        case_for(self.actor, case_id)
        return_case(actor=self.actor, case_id=case_id, **self.asked())
        return self.answer(_one(self.actor, case_for(self.actor, case_id)))


class Verdicts(Endpoint):
    @operation(
        scope=Scope.CASES_DECIDE,
        summary=_("Press a verdict"),
        words=_(
            "It takes effect after ten seconds; until then you can take it back and nobody sees"
            " it, and another verdict takes its place only where it names it. Whoever does not"
            " approve names a clause, a reason of at least 20 characters, and frames or words of"
            " the prompt."
        ),
        answers=VerdictShown,
        asks=VerdictAsked,
        refuses=(404, 409),
        example={
            "outcome": "declined",
            "lease_number": 1,
            "clause": 4,
            "reason": "A face can be recognised in these frames.",
            "frames": [[96, 121]],
        },
    )
    def post(self, request: Request, case_id: str) -> Response:
        case = case_for(self.actor, case_id)
        asked = self.asked()
        pairs = [(start, end) for start, end in asked.pop("frames")]
        wish = VerdictWish(frames=pairs, **asked)
        verdict = press_verdict(actor=self.actor, case_id=case_id, wish=wish)
        return self.answer(dict(VerdictShown(_verdict(verdict, case)).data))


class TakingBack(Endpoint):
    @operation(
        scope=Scope.CASES_DECIDE,
        summary=_("Take a verdict back"),
        words=_("Within its ten seconds. The case stays with you. Twice is fine."),
        answers=CaseShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, case_id: str) -> Response:
        case_for(self.actor, case_id)
        take_back_verdict(actor=self.actor, case_id=case_id)
        return self.answer(_one(self.actor, case_for(self.actor, case_id)))


def _many(actor: Actor, cases: list[Case]) -> list[dict[str, Any]]:
    """Two queries for any number of cases."""
    ids = [case.id for case in cases]
    bars, places, moment = bars_of(actor, ids), desk_places(actor, ids), now()
    return [
        dict(CaseShown(_facts(actor, case, bars[case.id], places.get(case.id), moment)).data)
        for case in cases
    ]


def _one(actor: Actor, case: Case) -> dict[str, Any]:
    return _many(actor, [case])[0]


def _whole(actor: Actor, case: Case) -> dict[str, Any]:
    verdict: Verdict | None = getattr(case, "verdict", None)
    is_own = verdict is not None and verdict.reviewer_id == actor.party_id
    prompt = case.chain.prompt
    facts = {
        **_facts(
            actor,
            case,
            bars_of(actor, [case.id])[case.id],
            desk_places(actor, [case.id]).get(case.id),
            now(),
        ),
        "facts": _clip(actor, case),
        "note": case.submission.note,
        "policy": case.policy.number,
        "clauses": list(case.policy.clauses.all()),
        "chain": [_decided(one, prompt) for one in decisions_of_chains([case.chain_id])],
        "appeal": case.appeal.text if case.kind == CaseKind.APPEAL else None,
        "verdict": _verdict(verdict, case) if verdict is not None and is_own else None,
    }
    return dict(CaseWhole(facts).data)


def _facts(
    actor: Actor, case: Case, bar: str | None, place: int | None, moment: datetime
) -> dict[str, Any]:
    is_yours = case.state == State.CLAIMED and case.lease_by_id == actor.party_id
    return {
        "id": case.id,
        "url": reverse("api-case", args=[shown("case", case.id)]),
        "kind": case.kind,
        "round": case.round,
        "state": case.state,
        "clip": case.chain_id,
        "prompt": case.chain.prompt,
        "place": place,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
        "is_overdue": case.state in OPEN and case.due_at <= moment,
        "is_escalated": case.escalated_at is not None,
        "is_yours": is_yours,
        "bar": bar,
        "lease": {"number": case.lease_number, "until": case.lease_until} if is_yours else None,
    }


def _clip(actor: Actor, case: Case) -> dict[str, Any]:
    clip = case.chain
    try:
        files = clip_for(actor, shown("clip", clip.id)).renditions.all()
    except Absent:
        files = clip.renditions.none()
    return {
        "model": clip.job.model.slug,
        "revision": clip.job.model.revision,
        "tier": clip.job.tier,
        "seed": clip.seed,
        "width": clip.width,
        "height": clip.height,
        "generated_width": clip.generated_width,
        "generated_height": clip.generated_height,
        "frames": clip.frames,
        "frame_rate": clip.rate,
        "seconds": clip.frames / clip.rate,
        "master_sha256": clip.master_sha256,
        "files": [
            {
                "kind": one.kind,
                "url": f"/media/{shown('rendition', one.id)}",
                "media_type": one.media_type,
                "width": one.width,
                "height": one.height,
            }
            for one in sorted(files, key=lambda one: one.kind)
        ],
    }


def _verdict(verdict: Verdict, case: Case) -> dict[str, Any]:
    return {
        **_judged(verdict, spots_of_verdict(verdict), case.chain.prompt),
        "case": case.id,
        "pressed_at": verdict.pressed_at,
        "effective_at": verdict.effective_at,
        "mark": verdict.mark,
    }


def _decided(decision: Decision, prompt: str) -> dict[str, Any]:
    return {
        **_judged(decision, spots_of_decision(decision), prompt),
        "round": decision.round,
        "by": "reviewer",
        "decided_at": decision.decided_at,
    }


def _judged(made: Decision | Verdict, spots: list[Spot], prompt: str) -> dict[str, Any]:
    return {
        "outcome": made.outcome,
        "clause": made.clause.number if made.clause else None,
        "reason": made.reason,
        "remedy": made.remedy,
        "reversal": made.reversal,
        "evidence": [
            {
                "frames": list(spot.frames) if spot.frames else None,
                "quote": prompt[slice(*spot.prompt)] if spot.prompt else None,
            }
            for spot in spots
        ],
    }


urlpatterns = [
    path("cases", Cases.as_view(), name="api-cases"),
    path("cases/counts", Counts.as_view(), name="api-case-counts"),
    path("cases/decided", Decided.as_view(), name="api-cases-decided"),
    path("cases/claim", Claim.as_view(), name="api-claim-case"),
    path("cases/<str:case_id>", OneCase.as_view(), name="api-case"),
    path("cases/<str:case_id>/renew", Renewals.as_view(), name="api-renew-case"),
    path("cases/<str:case_id>/return", Returns.as_view(), name="api-return-case"),
    path("cases/<str:case_id>/verdict", Verdicts.as_view(), name="api-press-verdict"),
    path(
        "cases/<str:case_id>/verdict/take-back",
        TakingBack.as_view(),
        name="api-take-back-verdict",
    ),
]
