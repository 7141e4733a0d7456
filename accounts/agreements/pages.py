"""The agreement in force, and the explicit act on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.agreements.commands import answer_agreement
from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import agreement_in_force, last_act
from accounts.credentials.doors import PortalRequest, signed_in
from core.errors import Absent, TooLate


@require_GET
@signed_in
def agreement(request: PortalRequest) -> HttpResponse:
    version = agreement_in_force(request.actor.programme)
    if version is None:
        raise Absent
    shown = _shown(version, last_act(version.id, request.actor.party_id))
    shown["programme"] = request.programme
    return render(request, "accounts/agreements/agreement.html", {"agreement": shown})


@require_POST
@signed_in
def accept(request: PortalRequest) -> HttpResponse:
    if not _answered(request, Acceptance.Act.ACCEPTED):
        return redirect("agreement")
    messages.success(request, _("You have accepted the agreement. The studio is open to you."))
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


def _shown(version: AgreementVersion, act: Acceptance | None) -> dict[str, Any]:
    return {
        "version": version.number,
        "summary": version.summary,
        "text": version.text,
        "accepted_at": act.at if act and act.act == Acceptance.Act.ACCEPTED else None,
        "declined_at": act.at if act and act.act == Acceptance.Act.DECLINED else None,
    }


urlpatterns = [
    path("agreement", agreement, name="agreement"),
    path("agreement/accept", accept, name="accept-agreement"),
    path("agreement/decline", decline, name="decline-agreement"),
]
