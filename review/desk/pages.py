"""The review desk: the queue, one case on one screen, and what a reviewer presses there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from accounts.credentials.doors import PortalRequest, only_for
from core.api import page_of
from core.audit.queries import events_of
from core.clock import now
from core.errors import Absent, Refusal
from core.ids import shown
from generation.clips.models import Clip
from generation.clips.queries import clip_for, removal_of
from generation.clips.words import player_files
from generation.jobs.words import pictures_of
from review.decisions.commands import VerdictStands, press_verdict, take_back_verdict
from review.decisions.models import Decision, Verdict
from review.decisions.queries import decisions_of_chains
from review.decisions.rules import LONGEST_TEXT, SHORTEST_REASON, Outcome, Reversal, outcomes_of
from review.decisions.words import (
    Entry,
    ShownDecision,
    record_of,
    shown_decision,
    shown_verdict,
)
from review.desk.commands import (
    TooManyLeases,
    claim_next_case,
    note_reading,
    renew_case_lease,
    return_case,
)
from review.desk.queries import (
    DESK_ORDER,
    bars_of,
    case_for,
    cases_decided_by,
    desk_counts,
    desk_places,
    handed_back_by,
    held_by,
    queue_of,
)
from review.desk.verdict_form import Typed, whole
from review.desk.words import (
    bar_words,
    effect_words,
    evidence_kept,
    nothing_words,
    recipe_words,
    standing_words,
    time_left_words,
)
from review.submissions.models import Case
from review.submissions.rules import LEASES_AT_ONCE, CaseKind, SkipReason, State
from review.submissions.words import due_words, kind_words, moment_words, state_words

CASES_ON_A_PAGE = 50
NEXT_SHOWN = 8
DECIDED_SHOWN = 8
DRAFT = "verdict_taken_back"  # in the session: what was pressed, so that nobody types it twice
KEY_OF = {Outcome.APPROVED: "a", Outcome.DECLINED: "d", Outcome.CHANGES_REQUESTED: "c"}

staff = only_for("reviewer", "manager", "auditor")


@require_GET
@staff
def desk(request: PortalRequest) -> HttpResponse:
    actor, moment = request.actor, now()
    cursor = request.GET.get("cursor")
    page = page_of(queue_of(actor), {"limit": CASES_ON_A_PAGE, "cursor": cursor}, by=DESK_ORDER)
    is_reviewer = "reviewer" in actor.roles
    context = {
        "counts": desk_counts(actor),
        "most": LEASES_AT_ONCE,
        "is_reviewer": is_reviewer,
        "is_first_page": not cursor,
        "held": _hand(request, moment),
        "queue": _rows(request, page.rows, moment),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "decided": _decided(request, moment) if is_reviewer and not cursor else [],
    }
    return render(request, "review/desk/desk.html", context)


@require_POST
@staff
def take_next(request: PortalRequest) -> HttpResponse:
    try:
        case = claim_next_case(actor=request.actor)
    except TooManyLeases as full:
        messages.warning(request, full.sentence)
        return redirect("desk")
    if case is None:
        messages.info(request, nothing_words(desk_counts(request.actor)))
        return redirect("desk")
    return redirect("desk-case", shown("case", case.id))


@require_GET
@staff
def case_page(request: PortalRequest, case: str) -> HttpResponse:
    found = case_for(request.actor, case)
    note_reading(actor=request.actor, case=found)
    return _case(request, found, _first(request, found))


@require_POST
@staff
def press(request: PortalRequest, case: str) -> HttpResponse:
    typed = Typed.of(request.POST)
    found = case_for(request.actor, case)
    try:
        wish = typed.wish(found.chain.prompt)
        press_verdict(actor=request.actor, case_id=case, wish=wish)
    except Absent:
        raise
    except Refusal as refusal:
        now_found = case_for(request.actor, case)
        return _case(request, now_found, typed, refusal=refusal, status=refusal.http_status)
    request.session.pop(DRAFT, None)
    return redirect("desk-case", case)


@require_POST
@staff
def take_back(request: PortalRequest, case: str) -> HttpResponse:
    found = case_for(request.actor, case)
    pressed = _pressed(found, request)
    try:
        take_back_verdict(actor=request.actor, case_id=case)
    except Absent:
        raise
    except Refusal as refusal:
        messages.warning(request, refusal.sentence)
    else:
        if pressed:
            request.session[DRAFT] = {"case": case, **_draft(pressed, found.chain)}
        messages.success(request, _("Taken back. Nobody has seen it; what you wrote is here."))
    return redirect("desk-case", case)


@require_POST
@staff
def hand_back(request: PortalRequest, case: str) -> HttpResponse:
    found = case_for(request.actor, case)
    try:
        return_case(actor=request.actor, case_id=case, why=request.POST.get("why", ""))
    except Absent:
        raise
    except Refusal as refusal:
        typed = _first(request, found)
        return _case(request, found, typed, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("Handed back. It waits where it waited before."))
    return redirect("desk")


@require_POST
@staff
def renew(request: PortalRequest, case: str) -> HttpResponse:
    """The heartbeat of an open case: the lease alone for a script, the page for everybody else."""
    found = renew_case_lease(
        actor=request.actor,
        case_id=case,
        lease_number=whole(request.POST.get("lease_number", "")) or 0,
    )
    if cast("HtmxDetails", request.htmx):  # type: ignore[attr-defined]
        return render(request, "review/desk/_lease.html", {"case": _lease(found, now())})
    return redirect("desk-case", case)


def _case(
    request: PortalRequest,
    case: Case,
    typed: Typed,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, moment = request.actor, now()
    is_mine = case.state == State.CLAIMED and case.lease_by_id == actor.party_id
    pressed = _pressed(case, request)
    # Pressed in another window: the form comes again, and says what it would take the place of.
    is_over = isinstance(refusal, VerdictStands) and pressed is not None
    decisions = list(decisions_of_chains([case.chain_id]))
    told = {one.round: shown_decision(one, case.chain.prompt) for one in decisions}
    removal = removal_of(case.chain)
    context = {
        "case": {
            **_facts(case, moment),
            **(_lease(case, moment) if is_mine else {}),
            "standing": standing_words(case, actor.party_id, moment),
            "is_mine": is_mine,
            "is_open": case.closed_at is None,
            "bar": bar_words(bars_of(actor, [case.id])[case.id]) if not is_mine else "",
        },
        "clip": _clip(case, request),
        "is_gone": removal is not None and removal.done_at is not None,
        "ask_url": reverse("ask-clip", args=[shown("clip", case.chain_id)]),
        "clip_id": shown("clip", case.chain_id),
        "note": case.submission.note,
        "pictures": pictures_of(case.chain.job, is_mine=False),
        "recipe": recipe_words(case.chain),
        "policy": case.policy,
        "clauses": list(case.policy.clauses.all()),
        "first": told.get(1) if case.round == 2 else None,
        "appeal": getattr(case, "appeal", None) if case.kind == CaseKind.APPEAL else None,
        "changes": _changes(case),
        "decision": told.get(case.round),
        "record": _record(case, decisions, told, actor.party_id),
        "verdict": _verdict(pressed, case, moment) if pressed else None,
        "has_form": is_mine and (pressed is None or is_over),
        "replaces": pressed.mark if pressed and is_over else "",
        "typed": typed,
        "refusal": refusal,
        "wrong": {refusal.field: refusal.sentence} if refusal and refusal.field else {},
        "outcomes": _outcomes(case),
        "reversals": Reversal.choices if case.round == 2 else [],
        "skips": SkipReason.choices,
        "least": SHORTEST_REASON,
        "longest": LONGEST_TEXT,
        "is_reviewer": "reviewer" in actor.roles,
        "is_decider": any(
            one.case_id == case.id and one.reviewer_id == actor.party_id for one in decisions
        ),
        "held": _hand(request, moment, beside=case),
        "queue": _rows(request, list(queue_of(actor)[:NEXT_SHOWN]), moment),
    }
    return render(request, "review/desk/case.html", context, status=status)


def _facts(case: Case, moment: datetime) -> dict[str, Any]:
    public_id = shown("case", case.id)
    return {
        "public_id": public_id,
        "url": reverse("desk-case", args=[public_id]),
        "prompt": case.chain.prompt,
        "kind_words": kind_words(case.kind),
        "is_appeal": case.kind == CaseKind.APPEAL,
        "state": case.state,
        "state_words": state_words(case.state),
        "opened_at": case.opened_at,
        "opened_words": moment_words(case.opened_at, moment),
        "due_words": due_words(case.due_at, moment),
        "is_late": case.closed_at is None and case.due_at <= moment,
        "lease_number": case.lease_number,
    }


def _lease(case: Case, moment: datetime) -> dict[str, Any]:
    until = case.lease_until or moment
    left = max(0, int((until - moment).total_seconds()))
    return {
        "renew_url": reverse("renew-case", args=[shown("case", case.id)]),
        "lease_number": case.lease_number,
        "lease_until": until,
        "left": left,
        "left_words": time_left_words(left),
    }


def _hand(
    request: PortalRequest, moment: datetime, *, beside: Case | None = None
) -> list[dict[str, Any]]:
    """The reader's cases, but for the one they look at, with verdicts that can be taken back.

    The key for that belongs to what was pressed last.
    """
    cases = [case for case in held_by(request.actor) if beside is None or case.id != beside.id]
    pressed = [case.verdict for case in cases if getattr(case, "verdict", None)]
    last = max(pressed, key=lambda verdict: verdict.effective_at, default=None)
    is_elsewhere = beside is not None and _pressed(beside, request) is not None
    return [
        {
            **_in_hand(case, moment),
            "has_key": last is not None and last.case_id == case.id and not is_elsewhere,
        }
        for case in cases
    ]


def _in_hand(case: Case, moment: datetime) -> dict[str, Any]:
    verdict = getattr(case, "verdict", None)
    return {
        **_facts(case, moment),
        **_lease(case, moment),
        "poster": _media(case.chain, "poster"),
        "width": case.chain.width,
        "height": case.chain.height,
        "verdict": _verdict(verdict, case, moment) if verdict else None,
    }


def _verdict(verdict: Verdict, case: Case, moment: datetime) -> dict[str, Any]:
    left = (verdict.effective_at - moment).total_seconds()
    return {
        "said": shown_verdict(verdict, case.round, case.chain.prompt),
        "effect": effect_words(verdict.effective_at, moment),
        "left": max(0.0, round(left, 1)),
        "is_open": left > 0,
        "take_back_url": reverse("take-back-verdict", args=[shown("case", case.id)]),
    }


def _rows(request: PortalRequest, cases: list[Case], moment: datetime) -> list[dict[str, Any]]:
    """Cases of the queue without those in the reader's hands, which stand above it.

    Three queries for any number of them.
    """
    cases = [case for case in cases if case.lease_by_id != request.actor.party_id]
    ids = [case.id for case in cases]
    is_reviewer = "reviewer" in request.actor.roles
    bars: dict[UUID, str | None] = bars_of(request.actor, ids) if is_reviewer else {}
    handed_back = handed_back_by(request.actor, ids) if is_reviewer else set()
    places = desk_places(request.actor, ids)
    return [
        {
            **_facts(case, moment),
            "place": places.get(case.id),
            "standing": standing_words(case, request.actor.party_id, moment)
            if case.state == State.CLAIMED
            else "",
            "bar": bar_words(
                bars.get(case.id),
                is_handed_back=case.id in handed_back and case.escalated_at is None,
            ),
        }
        for case in cases
    ]


def _decided(request: PortalRequest, moment: datetime) -> list[dict[str, Any]]:
    return [_facts(case, moment) for case in cases_decided_by(request.actor)[:DECIDED_SHOWN]]


def _clip(case: Case, request: PortalRequest) -> dict[str, Any] | None:
    """What the player shows; None for whoever has not said why they look, or no longer may."""
    clip_id = shown("clip", case.chain_id)
    try:
        clip = clip_for(request.actor, clip_id)
    except Absent:
        return None
    if not clip.renditions.all():
        return None
    sheet = next((one for one in clip.renditions.all() if one.kind == "sprite"), None)
    tiles = sheet.recipe.get("tiles", []) if sheet else []
    # Judged is the master; whoever does not judge begins with the light copy.
    judges = case.state == State.CLAIMED and case.lease_by_id == request.actor.party_id
    return {
        "prompt": clip.prompt,
        **player_files(clip, "/media", plays_light=not judges, offers_both=True),
        "sheet": _media(clip, "sprite"),
        "sheet_width": sheet.width if sheet else 0,
        "sheet_height": sheet.height if sheet else 0,
        "columns": sheet.recipe.get("columns", 1) if sheet else 1,
        "tiles": ",".join(str(tile["frame"]) for tile in tiles),
        "pictures": len(tiles),
        "frames": clip.frames,
        "rate_num": clip.rate_num,
        "rate_den": clip.rate_den,
        "width": clip.width,
        "height": clip.height,
    }


def _media(clip: Clip, kind: str) -> str:
    found = next((one for one in clip.renditions.all() if one.kind == kind), None)
    return f"/media/{shown('rendition', found.id)}" if found else ""


def _outcomes(case: Case) -> list[dict[str, str]]:
    """The buttons of this round, each with its key."""
    of_appeal = {Outcome.APPROVED: _("Overturn"), Outcome.DECLINED: _("Uphold")}
    return [
        {
            "value": outcome.value,
            "words": of_appeal[outcome] if case.round == 2 else str(outcome.label),
            "key": KEY_OF[outcome],
        }
        for outcome in outcomes_of(case.round)
    ]


def _record(
    case: Case, decisions: list[Decision], told: dict[int, ShownDecision], reader_id: UUID
) -> list[Entry]:
    things = [case.submission_id, *sorted({case.id, *(one.case_id for one in decisions)})]
    events = [event for thing in things for event in events_of(thing)]
    return record_of(events, told, owner_id=case.owner_id, reader_id=reader_id)


def _changes(case: Case) -> ShownDecision | None:
    """What was asked for before, where this clip is the answer to it."""
    answered = case.submission.answers
    if answered is None:
        return None
    asked = decisions_of_chains([answered.clip_id]).first()
    return shown_decision(asked, answered.clip.prompt) if asked else None


def _pressed(case: Case, request: PortalRequest) -> Verdict | None:
    """The reader's own pending verdict; nobody else's is anybody's to see."""
    verdict: Verdict | None = getattr(case, "verdict", None)
    is_own = verdict is not None and verdict.reviewer_id == request.actor.party_id
    return verdict if is_own else None


def _first(request: PortalRequest, case: Case) -> Typed:
    """An empty form, or one with what its reviewer took back."""
    draft = dict(request.session.get(DRAFT) or {})
    is_of_this = draft.pop("case", None) == shown("case", case.id)
    return Typed.before(draft) if is_of_this and draft else Typed()


def _draft(verdict: Verdict, clip: Clip) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "clause": str(verdict.clause.number) if verdict.clause else "",
        "reason": verdict.reason,
        "remedy": verdict.remedy,
        "reversal": verdict.reversal,
        **evidence_kept(verdict.evidence, clip.prompt),
    }


urlpatterns = [
    path("desk", desk, name="desk"),
    path("desk/next", take_next, name="take-next-case"),
    path("desk/cases/<str:case>", case_page, name="desk-case"),
    path("desk/cases/<str:case>/verdict", press, name="press-verdict"),
    path("desk/cases/<str:case>/verdict/take-back", take_back, name="take-back-verdict"),
    path("desk/cases/<str:case>/return", hand_back, name="return-case"),
    path("desk/cases/<str:case>/renew", renew, name="renew-case"),
]
