"""The four consents: each is published in versions of its own, all on one page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from accounts.consents.commands import publish_consent
from accounts.consents.rules import Purpose
from accounts.credentials.doors import PortalRequest
from accounts.programmes.commands import ChangedMeanwhile
from core.errors import Absent, Refusal
from greenroom.setup import defaults
from greenroom.setup.history import versions_of
from greenroom.setup.step_shown import (
    STEPS,
    conflict,
    from_now,
    managing,
    managing_now,
    published,
    seen,
    standing,
    with_refusal,
)
from greenroom.setup.terms_forms import ConsentForm


@require_GET
@managing
def consents_page(request: PortalRequest) -> HttpResponse:
    return _consents(request)


@require_POST
@managing
def publish_one_consent(request: PortalRequest, purpose: str) -> HttpResponse:
    if purpose not in Purpose.values:
        raise Absent
    form = ConsentForm(request.POST, auto_id=f"id_{purpose}_%s")
    if not form.is_valid():
        return _consents(request, {purpose: form}, status=422)
    said = form.cleaned_data
    try:
        with managing_now(request) as by:
            version = publish_consent(
                programme_id=request.actor.programme,
                purpose=Purpose(purpose),
                is_asked=said["is_asked"],
                words=said["words"],
                seen=said["seen"],
                actor=by,
            )
    except ChangedMeanwhile as refusal:
        again = ConsentForm(from_now(request.POST, refusal), auto_id=f"id_{purpose}_%s")
        return _consents(request, {purpose: again}, changed=refusal)
    except Refusal as refusal:
        return _consents(
            request, {purpose: with_refusal(form, refusal)}, status=refusal.http_status
        )
    return published(request, Purpose(purpose).label, version.number)


def _consents(
    request: PortalRequest,
    typed: dict[str, ConsentForm] | None = None,
    *,
    changed: ChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = [_consent(request, purpose, typed or {}) for purpose in Purpose]
    context = {"step": STEPS["consents"], "consents": shown, **conflict(changed)}
    return render(
        request, "setup/consents.html", context, status=changed.http_status if changed else status
    )


def _consent(
    request: PortalRequest, purpose: Purpose, typed: dict[str, ConsentForm]
) -> dict[str, Any]:
    versions = versions_of("consents", request.actor.programme, purpose)
    in_force = versions[0] if versions else None
    usual = {"is_asked": False, "words": defaults.CONSENT_WORDS[purpose]}
    initial = ConsentForm.of(in_force) if in_force else usual
    fresh = ConsentForm(initial=initial | seen(versions), auto_id=f"id_{purpose.value}_%s")
    return {
        "purpose": purpose.value,
        "words": purpose.label,
        "form": typed.get(purpose.value, fresh),
        **standing("consents", versions),
    }


urlpatterns = [
    path("setup/consents", consents_page, name="setup-consents"),
    path("setup/consents/<slug:purpose>", publish_one_consent, name="setup-consent"),
]
