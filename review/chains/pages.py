"""The tester's side of a review: putting a clip forward, following it, appealing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from core.api import page_of
from core.audit.queries import events_of
from core.clock import now
from core.errors import Absent, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.clips.models import Clip
from review.chains.queries import (
    last_case_of,
    new_version_of,
    newest_submission_of,
    submission_to_follow,
    submissions_with_pictures,
)
from review.chains.words import (
    appeal_standing,
    decisions_told,
    last_word_of,
    staff_words,
    standing_case,
    standing_of,
)
from review.credits.queries import credit_lines_on
from review.credits.rules import DisplayForm
from review.credits.words import name_in_form, shown_credit
from review.decisions.commands import file_appeal
from review.decisions.queries import decisions_of_chains
from review.decisions.rules import LONGEST_TEXT, Outcome
from review.decisions.words import record_of, shown_decision
from review.policies.queries import charter_in_force, policy_in_force
from review.submissions.commands import LONGEST_NOTE, submit_clip, withdraw_submission
from review.submissions.models import Submission
from review.submissions.queries import (
    Place,
    changes_to_answer,
    clip_to_submit,
    places_of,
)
from review.submissions.rules import OPEN, State

SUBMISSIONS_ON_A_PAGE = 20


def review_section(actor: Actor, clip: Clip) -> dict[str, Any]:
    """What ``review/chains/_review.html`` shows as ``review``, for whoever may see the clip."""
    moment = now()
    if clip.party_id != actor.party_id:
        case = last_case_of(clip.id)
        return {
            "is_owner": False,
            "sentence": staff_words(case, moment) if case else "",
            "case_url": reverse("desk-case", args=[shown("case", case.id)]) if case else None,
        }
    newest = newest_submission_of(actor, clip.id)
    clip_id = shown("clip", clip.id)
    return {
        "is_owner": True,
        "standing": standing_of(newest, _place(newest), moment) if newest else None,
        "url": _url(newest) if newest else None,
        "new_url": f"{reverse('new-submission')}?{urlencode({'clip': clip_id})}"
        if newest is None or standing_case(newest).state == State.WITHDRAWN
        else None,
    }


@require_GET
@signed_in
def submissions(request: PortalRequest) -> HttpResponse:
    page = page_of(
        submissions_with_pictures(request.actor),
        {"limit": SUBMISSIONS_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-sealed_at", "-id"),
    )
    places = places_of(standing_case(one).id for one in page.rows)
    moment = now()
    context = {
        "submissions": [_row(one, places.get(standing_case(one).id), moment) for one in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
    }
    return render(request, "review/chains/submissions.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def new_submission(request: PortalRequest) -> HttpResponse:
    """A form sent twice puts the clip forward once: its hidden key is an idempotency key."""
    clip_id = request.POST.get("clip") or request.GET.get("clip", "")
    clip = clip_to_submit(request.actor, clip_id)
    if request.method == "GET":
        before = newest_submission_of(request.actor, clip.id)
        if before is not None and standing_case(before).state != State.WITHDRAWN:
            return redirect(_url(before))
        return _ask(request, clip, {"once": uuid4().hex})
    typed = {name: request.POST.get(name, "") for name in ("note", "display_form", "once")}
    try:
        made = submit_clip(
            actor=request.actor,
            clip_id=clip_id,
            note=typed["note"],
            display_form=_form(typed["display_form"]),
            once=_once(request, "new-submission", {"clip": clip_id, **typed}),
            answer=lambda one: (201, {"url": _url(one)}),
        )
    except AlreadyAnswered as first:
        return redirect(first.body["url"])
    except Absent:
        raise
    except Refusal as refusal:
        return _ask(request, clip, typed, refusal=refusal, status=refusal.http_status)
    return redirect(_url(made))


@require_GET
@signed_in
def submission_page(request: PortalRequest, submission: str) -> HttpResponse:
    found = submission_to_follow(request.actor, submission)
    return _thread(request, found, {"once": uuid4().hex})


@require_POST
@signed_in
def withdraw(request: PortalRequest, submission: str) -> HttpResponse:
    try:
        withdraw_submission(actor=request.actor, submission_id=submission)
    except Absent:
        raise
    except Refusal as refusal:
        messages.warning(request, refusal.sentence)
    else:
        messages.success(request, _("Withdrawn. Nothing is decided about it."))
    return redirect("submission", submission)


@require_POST
@signed_in
def appeal(request: PortalRequest, submission: str) -> HttpResponse:
    found = submission_to_follow(request.actor, submission)
    typed = {name: request.POST.get(name, "") for name in ("text", "once")}
    try:
        file_appeal(
            actor=request.actor,
            submission_id=submission,
            text=typed["text"],
            once=_once(request, "appeal", {"submission": submission, **typed}),
            answer=lambda _appeal: (201, {"url": _url(found)}),
        )
    except AlreadyAnswered:
        pass
    except Absent:
        raise
    except Refusal as refusal:
        return _thread(request, found, typed, refusal=refusal, status=refusal.http_status)
    else:
        messages.success(request, _("Your appeal is filed. Somebody else judges it."))
    return redirect("submission", submission)


def _ask(
    request: PortalRequest,
    clip: Clip,
    typed: dict[str, str],
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    programme = request.actor.programme
    answered = changes_to_answer(clip)
    asked = decisions_of_chains([answered.clip_id]).first() if answered else None
    lines = list(credit_lines_on(clip.id))
    mine = [line for line in lines if line.party_id == clip.party_id and line.role == "maker"]
    known = refusal.facts.get("submission") if refusal else None
    context = {
        "clip": _clip(clip),
        "clip_id": shown("clip", clip.id),
        "policy": policy_in_force(programme),
        "charter": charter_in_force(programme),
        "changes": shown_decision(asked, answered.clip.prompt) if asked and answered else None,
        "typed": typed,
        "most": LONGEST_NOTE,
        "refusal": refusal,
        "known_url": reverse("submission", args=[known]) if known else None,
        "forms": [] if mine else _forms(request, typed.get("display_form", "")),
        "credit": shown_credit(mine[0]) if mine else None,
        "others": len(
            {line.party_id for line in lines if line.state != "declined"} - {clip.party_id}
        ),
    }
    return render(request, "review/chains/new.html", context, status=status)


def _thread(
    request: PortalRequest,
    found: Submission,
    typed: dict[str, str],
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, moment = request.actor, now()
    told = decisions_told(found)
    case = standing_case(found)
    cases = list(found.cases.all())
    last = last_word_of(found)
    is_sent_back = last is not None and last.outcome == Outcome.CHANGES_REQUESTED
    answer = new_version_of(found) if is_sent_back else None
    appealed = appeal_standing(found, moment)
    events = [
        event for thing in (found.id, *(one.id for one in cases)) for event in events_of(thing)
    ]
    context = {
        "submission": {
            "public_id": shown("submission", found.id),
            "note": found.note,
            "frames": found.frames,
            "master_sha256": found.master_sha256,
            "policy": found.policy.number,
            "charter": found.charter,
            "sealed_at": found.sealed_at,
            "answers_url": _url(found.answers) if found.answers else None,
        },
        "clip": _clip(found.clip),
        "standing": standing_of(found, _place(found), moment),
        "decisions": [told[number] for number in sorted(told)],
        "appeal": appealed,
        "is_open": case.state in OPEN,
        "is_appeal": case.round == 2,
        "is_approved": last is not None and last.outcome == Outcome.APPROVED,
        "new_version_url": f"{reverse('new-clip')}?continue={shown('job', found.clip.job_id)}"
        if is_sent_back
        else None,
        "answer_url": _url(answer) if answer else None,
        "record": record_of(events, told, owner_id=found.owner_id, reader_id=actor.party_id),
        "typed": typed,
        "most": LONGEST_TEXT,
        "refusal": refusal,
    }
    return render(request, "review/chains/submission.html", context, status=status)


def _row(one: Submission, place: Place | None, moment: datetime) -> dict[str, Any]:
    return {
        **_clip(one.clip),
        "url": _url(one),
        "standing": standing_of(one, place, moment),
        "sealed_at": one.sealed_at,
    }


def _clip(clip: Clip) -> dict[str, Any]:
    poster = next((file for file in clip.renditions.all() if file.kind == "poster"), None)
    return {
        "id": shown("clip", clip.id),
        "clip_url": reverse("clip", args=[shown("clip", clip.id)]),
        "prompt": clip.prompt,
        "poster": f"/media/{shown('rendition', poster.id)}" if poster else "",
        "width": clip.width,
        "height": clip.height,
        "frames": clip.frames,
        "model": f"{clip.job.model.name} · {clip.job.model.revision}",
        "seed": clip.seed,
        "master_sha256": clip.master_sha256,
    }


def _forms(request: PortalRequest, chosen: str) -> list[dict[str, Any]]:
    """How the owner may be named, with what would stand there."""
    return [
        {
            "value": form.value,
            "words": form.label,
            "name": name_in_form(request.user.party, form),
            "is_chosen": form.value == (chosen or DisplayForm.NONE.value),
        }
        for form in DisplayForm
    ]


def _form(text: str) -> DisplayForm:
    """Nobody is named by a slip: what is none of the forms is no name."""
    return DisplayForm(text) if text in DisplayForm.values else DisplayForm.NONE


def _place(submission: Submission) -> Place | None:
    case = standing_case(submission)
    return places_of([case.id]).get(case.id)


def _url(submission: Submission) -> str:
    return reverse("submission", args=[shown("submission", submission.id)])


def _once(request: PortalRequest, deed: str, payload: dict[str, str]) -> Once:
    actor = request.actor
    return Once.of(
        scope=f"{actor.party_id}:{actor.programme}:{deed}", key=payload["once"], payload=payload
    )


urlpatterns = [
    path("submissions", submissions, name="submissions"),
    path("submissions/new", new_submission, name="new-submission"),
    path("submissions/<str:submission>", submission_page, name="submission"),
    path("submissions/<str:submission>/withdraw", withdraw, name="withdraw-submission"),
    path("submissions/<str:submission>/appeal", appeal, name="file-appeal"),
]
