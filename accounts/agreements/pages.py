"""The agreement: what is in force, what changed, the explicit act on it, and all of its past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.agreements.commands import answer_agreement, issue_receipt, note_view
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import (
    Standing,
    acts_of,
    agreement_standing,
    version_for,
    versions_of,
)
from accounts.agreements.rules import word_diff
from accounts.agreements.words import ACT_WORDS, governing_sentence, until_words
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.programmes.models import Role
from accounts.programmes.queries import why_not_working
from core.errors import TooLate
from core.ids import shown


@dataclass(frozen=True, slots=True)
class ShownAct:
    sentence: str
    at: datetime
    receipt_url: str


@require_GET
@signed_in
def agreement(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    standing = agreement_standing(actor.programme, actor.party_id) if actor.programme_id else None
    if standing is None:
        return render(request, "accounts/agreements/none.html")
    note_view(version=standing.version, party_id=actor.party_id)
    context = {
        "agreement": _shown(standing, whole="whole" in request.GET),
        "agreement_programme": request.programme,
        # It governs what testers make: everybody else reads it and is asked for nothing.
        "may_answer": Role.TESTER in actor.roles,
    }
    return render(request, "accounts/agreements/agreement.html", context)


@require_GET
@signed_in
def history(request: PortalRequest) -> HttpResponse:
    """Every version, and with each what the reader said to it."""
    said: dict[Any, list[ShownAct]] = {}
    for act in acts_of(request.actor):
        said.setdefault(act.version_id, []).append(_act(act))
    versions = [
        {"version": version, "acts": said.get(version.id, [])}
        for version in versions_of(request.actor.programme)
    ]
    context = {"versions": versions, "agreement_programme": request.programme}
    return render(request, "accounts/agreements/history.html", context)


@require_GET
@signed_in
def version_page(request: PortalRequest, number: int) -> HttpResponse:
    """One version as it was published; by ``number`` alone, since it never changes."""
    version = version_for(request.actor, number)
    note_view(version=version, party_id=request.actor.party_id)
    context = {"version": version, "agreement_programme": request.programme}
    return render(request, "accounts/agreements/version.html", context)


@require_GET
@signed_in
def receipt(request: PortalRequest, acceptance: str) -> HttpResponse:
    document = issue_receipt(actor=request.actor, acceptance_id=acceptance)
    return receipt_file(document, f"agreement-{acceptance}.json")


def receipt_file(document: dict[str, Any], name: str) -> HttpResponse:
    """To keep: as text that people can read, too. Spaces do not count in what is signed."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@signed_in
def accept(request: PortalRequest) -> HttpResponse:
    if not _answered(request, Acceptance.Act.ACCEPTED):
        return redirect("agreement")
    then = why_not_working(request.actor.programme) or _("The studio is open to you.")
    messages.success(request, " ".join([_("You have accepted the agreement."), then]))
    return redirect("studio")


@require_POST
@signed_in
def decline(request: PortalRequest) -> HttpResponse:
    _answered(request, Acceptance.Act.DECLINED)
    return redirect("agreement")


def _answered(request: PortalRequest, act: Acceptance.Act) -> bool:
    """Whether the act counts: it does for the version the page showed, and for no other."""
    number = request.POST.get("version", "")
    try:
        answer_agreement(
            programme_id=request.actor.programme,
            party_id=request.actor.party_id,
            number=int(number) if number.isascii() and number.isdigit() else 0,
            act=act,
            credential_id=request.actor.credential_id,
        )
    except TooLate as refusal:
        messages.error(request, refusal.sentence)
        return False
    return True


def _shown(standing: Standing, *, whole: bool) -> dict[str, Any]:
    version, before = standing.version, _before(standing)
    return {
        "version": version.number,
        "published_at": version.published_at,
        "summary": version.summary,
        "changes": version.changes,
        "text": version.text,
        "answer_by": version.answer_by,
        "answer_until": until_words(version),
        "is_overdue": standing.is_overdue,
        "governs": governing_sentence(standing),
        "is_governed": standing.governing is not None,
        "act": _act(standing.act) if standing.act else None,
        "is_accepted": standing.act is not None and standing.act.act == Acceptance.Act.ACCEPTED,
        "is_declined": standing.act is not None and standing.act.act == Acceptance.Act.DECLINED,
        "before": before.number if before else None,
        "pieces": word_diff(before.text, version.text) if before and not whole else None,
    }


def _before(standing: Standing) -> AgreementVersion | None:
    """The version to compare with: the last one the reader said yes to, if that is an older one."""
    accepted = standing.accepted
    return accepted if accepted and accepted.number < standing.version.number else None


def _act(act: Acceptance) -> ShownAct:
    return ShownAct(
        sentence=ACT_WORDS[act.act](),
        at=act.at,
        receipt_url=reverse("agreement-receipt", args=[shown("acceptance", act.id)]),
    )


urlpatterns = [
    path("agreement", agreement, name="agreement"),
    path("agreement/accept", accept, name="accept-agreement"),
    path("agreement/decline", decline, name="decline-agreement"),
    path("agreement/history", history, name="agreement-history"),
    path("agreement/versions/<int:number>", version_page, name="agreement-version"),
    path("agreement/acts/<str:acceptance>/receipt", receipt, name="agreement-receipt"),
]
