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
from accounts.programmes.commands import ChangedMeanwhile
from accounts.rates.commands import publish_rate
from accounts.rates.queries import RateLine, rate_card
from accounts.rates.rules import ActKind
from accounts.rates.words import KIND_WORDS, ShownRateLine, shown_rate, shown_rate_card
from core.clock import now
from core.errors import Absent, Refusal
from core.money import Money, figure
from greenroom.setup import defaults
from greenroom.setup.history import VERSIONS_SHOWN, versions_of
from greenroom.setup.step_forms import RateForm
from greenroom.setup.step_shown import (
    STEPS,
    conflict,
    from_now,
    managing,
    managing_now,
    programme_of,
    seen,
    with_refusal,
)


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
        with managing_now(request) as by:
            publish_rate(
                programme_id=request.actor.programme,
                kind=ActKind(kind),
                amount_micro=said["amount"].amount_micro,
                applies_from=said["applies_from"],
                words=said["words"],
                seen=said["seen"],
                actor=by,
            )
    except ChangedMeanwhile as refusal:
        again = _rate_form(request, kind, from_now(request.POST, refusal))
        return _rates(request, {kind: again}, changed={kind: refusal})
    except Refusal as refusal:
        return _rates(request, {kind: with_refusal(form, refusal)}, status=refusal.http_status)
    messages.success(
        request, _("The rate is published: %(kind)s.") % {"kind": KIND_WORDS[ActKind(kind)]}
    )
    return redirect("setup-rates")


def _rates(
    request: PortalRequest,
    typed: dict[str, RateForm] | None = None,
    *,
    changed: dict[str, ChangedMeanwhile] | None = None,
    status: int = 200,
) -> HttpResponse:
    card = rate_card(programme_of(request).id, now())
    shown = [
        _rate(request, line, shown_line, typed or {}, (changed or {}).get(line.kind))
        for line, shown_line in zip(card, shown_rate_card(card), strict=True)
    ]
    context = {"step": STEPS["rates"], "rates": shown}
    refused = next(iter((changed or {}).values()), None)
    return render(
        request, "setup/rates.html", context, status=refused.http_status if refused else status
    )


def _rate(
    request: PortalRequest,
    line: RateLine,
    shown_line: ShownRateLine,
    typed: dict[str, RateForm],
    changed: ChangedMeanwhile | None,
) -> dict[str, Any]:
    programme = programme_of(request)
    versions = versions_of("rates", programme.id, kind=line.kind)
    usual = None if line.in_force else defaults.rates(programme.currency)
    fresh = _rate_form(request, line.kind, usual=usual, has_seen=versions)
    return {
        "kind": line.kind.value,
        "words": shown_line.kind_words,
        "line": shown_line,
        "form": typed.get(line.kind.value, fresh),
        "published": [
            {"number": row.number, "at": row.published_at, "rate": shown_rate(row)}
            for row in versions[:VERSIONS_SHOWN]
        ],
        **conflict(changed),
    }


def _rate_form(
    request: PortalRequest,
    kind: str,
    data: Any = None,
    *,
    usual: dict[ActKind, int] | None = None,
    has_seen: list[Any] | None = None,
) -> RateForm:
    """``usual``: the kind defaults, to begin with where nothing is in force."""
    currency = programme_of(request).currency
    amount = figure(Money(usual[ActKind(kind)], currency)) if usual else ""
    initial = {"amount": amount} | seen(has_seen or [])
    return RateForm(data, currency=currency, initial=initial, auto_id=f"id_{kind}_%s")


urlpatterns = [
    path("setup/rates", rates_page, name="setup-rates"),
    path("setup/rates/<slug:kind>", publish_one_rate, name="setup-rate"),
]
