"""The rate card: one form for each kind of act, which says what it earns and from when."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.credentials.doors import PortalRequest
from accounts.rates.commands import publish_rate
from accounts.rates.queries import rate_card
from accounts.rates.rules import ActKind
from accounts.rates.words import KIND_WORDS, shown_rate_card
from core.clock import now
from core.errors import Absent, Refusal
from core.money import Money, figure
from greenroom.setup import defaults
from greenroom.setup.step_forms import RateForm
from greenroom.setup.step_shown import STEPS, managing, programme_of, with_refusal


@require_GET
@managing
def rates_page(request: PortalRequest) -> HttpResponse:
    return _rates(request)


@require_POST
@managing
def publish_one_rate(request: PortalRequest, kind: str) -> HttpResponse:
    if kind not in ActKind.values:
        raise Absent
    form = _rate_form(request, kind, request.POST)
    if not form.is_valid():
        return _rates(request, {kind: form}, status=422)
    said = form.cleaned_data
    try:
        publish_rate(
            programme_id=request.actor.programme,
            kind=ActKind(kind),
            amount_micro=said["amount"].amount_micro,
            applies_from=said["applies_from"],
            words=said["words"],
            actor=request.actor.party_id,
        )
    except Refusal as refusal:
        return _rates(request, {kind: with_refusal(form, refusal)}, status=refusal.http_status)
    messages.success(
        request, _("The rate is published: %(kind)s.") % {"kind": KIND_WORDS[ActKind(kind)]}
    )
    return redirect("setup-rates")


def _rates(
    request: PortalRequest, typed: dict[str, RateForm] | None = None, *, status: int = 200
) -> HttpResponse:
    programme = programme_of(request)
    usual = defaults.rates(programme.currency)
    card = rate_card(programme.id, now())
    fresh = {
        line.kind.value: _rate_form(request, line.kind, usual=None if line.in_force else usual)
        for line in card
    }
    shown = [
        {
            "kind": line.kind,
            "words": line.kind_words,
            "line": line,
            "form": (fresh | (typed or {}))[line.kind],
        }
        for line in shown_rate_card(card)
    ]
    context = {"step": STEPS["rates"], "rates": shown}
    return render(request, "setup/rates.html", context, status=status)


def _rate_form(
    request: PortalRequest,
    kind: str,
    data: Any = None,
    *,
    usual: dict[ActKind, int] | None = None,
) -> RateForm:
    """``usual``: the kind defaults, to begin with where nothing is in force."""
    currency = programme_of(request).currency
    amount = figure(Money(usual[ActKind(kind)], currency)) if usual else ""
    initial = {"amount": amount}
    return RateForm(data, currency=currency, initial=initial, auto_id=f"id_{kind}_%s")


urlpatterns = [
    path("setup/rates", rates_page, name="setup-rates"),
    path("setup/rates/<slug:kind>", publish_one_rate, name="setup-rate"),
]
