"""Finance: what is owed to whom, proposing to pay it, and the way of one payout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.credentials.doors import PortalRequest, only_for
from accounts.people.models import Party
from core.api import page_of
from core.audit.queries import events_of
from core.errors import Absent, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.money import Money, figure, places_of, shown_money, whole_units
from review.ledger.models import LedgerBalance
from review.ledger.queries import (
    names_of,
    owed_balances,
    owed_to,
    party_for,
    statement_of,
    treasury_of,
    trial_balance,
)
from review.ledger.words import party_name, shown_lines, shown_sum, shown_trial
from review.payouts.commands import (
    approve_payout,
    cancel_payout,
    pay_payout,
    propose_payout,
)
from review.payouts.models import Payout
from review.payouts.queries import (
    open_payouts,
    open_payouts_by_party,
    payout_for,
    payouts_to,
)
from review.payouts.rules import OPEN
from review.payouts.words import deeds_on, record_sentence, shown_payout, who

PARTIES_ON_A_PAGE = 50
LINES_ON_A_PAGE = 50
PAYOUTS_SHOWN = 50
STAFF = ("finance", "manager", "auditor")


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    role: str
    sentence: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class OwedRow:
    """``payout_url`` leads to the payout that waits already; then none is proposed."""

    party_id: str
    url: str
    name: str
    amount: str
    is_payable: bool
    payout_url: str | None
    once: str


class Payment(forms.Form):
    reference = forms.CharField(
        label=gettext_lazy("Reference of the transfer"),
        help_text=gettext_lazy("What the bank calls it. Whoever is paid sees it, too."),
        widget=forms.TextInput(attrs={"maxlength": 140, "autocomplete": "off"}),
    )


@require_GET
@only_for(*STAFF)
def finance(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    page = page_of(
        owed_balances(actor),
        {"limit": PARTIES_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("balance_micro", "account"),
    )
    waiting = list(open_payouts(actor)[:PAYOUTS_SHOWN])
    trial = trial_balance(actor.programme)
    treasury = treasury_of(actor.programme)
    context = {
        "treasury": shown_money(treasury),
        "trial": shown_trial(trial),
        "currency": treasury.currency,
        "parties": _owed_rows(request, page.rows, treasury.currency),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "payouts": [shown_payout(payout) for payout in waiting],
        "may_propose": "finance" in actor.roles,
        "once": uuid4().hex,
    }
    return render(request, "review/payouts/finance.html", context)


@require_GET
@only_for(*STAFF)
def party_page(request: PortalRequest, party: str) -> HttpResponse:
    return _party(request, party_for(request.actor, party))


@require_POST
@only_for("finance")
def propose(request: PortalRequest, party: str) -> HttpResponse:
    found = party_for(request.actor, party)
    try:
        payout = propose_payout(
            actor=request.actor,
            party_id=found.id,
            once=_once(request, party),
            answer=_kept,
        )
    except AlreadyAnswered as first:
        return redirect("payout", first.body["payout"])
    except Refusal as refusal:
        return _party(request, found, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("Proposed. Now a second person approves it."))
    return redirect("payout", shown("payout", payout.id))


@require_GET
@only_for(*STAFF)
def payout_page(request: PortalRequest, payout: str) -> HttpResponse:
    return _payout(request, payout_for(request.actor, payout))


@require_POST
@only_for("finance", "manager")
def approve(request: PortalRequest, payout: str) -> HttpResponse:
    try:
        approve_payout(
            actor=request.actor,
            payout_id=payout,
            instruction_sha256=request.POST.get("instruction_sha256", ""),
        )
    except Refusal as refusal:
        return _refused(request, payout, refusal)
    messages.success(request, _("Approved. It can be paid now."))
    return redirect("payout", payout)


@require_POST
@only_for("finance")
def pay(request: PortalRequest, payout: str) -> HttpResponse:
    form = Payment(request.POST)
    found = payout_for(request.actor, payout)
    if not form.is_valid():
        return _payout(request, found, form, status=422)
    try:
        pay_payout(actor=request.actor, payout_id=payout, reference=form.cleaned_data["reference"])
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _payout(request, found, form, status=refusal.http_status)
        return _refused(request, payout, refusal, form)
    messages.success(request, _("Recorded as paid."))
    return redirect("payout", payout)


@require_POST
@only_for("finance")
def cancel(request: PortalRequest, payout: str) -> HttpResponse:
    try:
        cancel_payout(actor=request.actor, payout_id=payout)
    except Refusal as refusal:
        return _refused(request, payout, refusal)
    messages.success(request, _("Cancelled. What is owed stays owed."))
    return redirect("payout", payout)


def _refused(
    request: PortalRequest, payout: str, refusal: Refusal, form: Payment | None = None
) -> HttpResponse:
    if isinstance(refusal, Absent):
        raise refusal
    found = payout_for(request.actor, payout)
    return _payout(request, found, form, refusal=refusal, status=refusal.http_status)


def _payout(
    request: PortalRequest,
    payout: Payout,
    form: Payment | None = None,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = request.actor
    context = {
        "payout": shown_payout(payout),
        "deeds": deeds_on(payout, actor=actor, treasury=treasury_of(actor.programme)),
        "form": form or Payment(),
        "record": _record(payout, request),
        "refusal": refusal,
    }
    return render(request, "review/payouts/payout.html", context, status=status)


def _party(
    request: PortalRequest, party: Party, *, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    actor = request.actor
    page = page_of(
        statement_of(party.id, actor.programme),
        {"limit": LINES_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-number",),
    )
    owed = owed_to(party.id, actor.programme)
    payable = whole_units(owed.left)
    payouts = list(payouts_to(actor, party.id)[:PAYOUTS_SHOWN])
    waiting = next((payout for payout in payouts if payout.state in OPEN), None)
    is_own = party.id == actor.party_id
    context = {
        "party_id": shown("party", party.id),
        "party_name": party_name(party),
        "sum": shown_sum(owed),
        "lines": shown_lines(page.rows, reader=actor),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "payouts": [shown_payout(payout) for payout in payouts],
        "may_propose": "finance" in actor.roles and not is_own and waiting is None,
        "is_own": is_own,
        "waiting_url": _url(waiting),
        "payable": shown_money(payable) if payable.amount_micro else "",
        "rest": shown_money(owed.left - payable),
        "once": uuid4().hex,
        "refusal": refusal,
    }
    return render(request, "review/payouts/party.html", context, status=status)


def _owed_rows(
    request: PortalRequest, balances: list[LedgerBalance], currency: str
) -> list[OwedRow]:
    amounts = [Money(-balance.balance_micro, currency) for balance in balances]
    places = places_of(amounts)
    parties = [balance.account.party for balance in balances]
    waiting = open_payouts_by_party(request.actor, [party.id for party in parties if party])
    return [
        OwedRow(
            party_id=shown("party", party.id),
            url=reverse("finance-party", args=[shown("party", party.id)]),
            name=party_name(party),
            amount=figure(amount, places),
            is_payable=whole_units(amount).amount_micro > 0 and party.id != request.actor.party_id,
            payout_url=_url(waiting.get(party.id)),
            once=uuid4().hex,
        )
        for party, amount in zip(parties, amounts, strict=True)
        if party is not None
    ]


def _url(payout: Payout | None) -> str | None:
    return reverse("payout", args=[shown("payout", payout.id)]) if payout else None


def _once(request: PortalRequest, party: str) -> Once:
    actor = request.actor
    return Once.of(
        scope=f"{actor.party_id}:{actor.programme}:propose-payout",
        key=request.POST.get("once", ""),
        payload=party,
    )


def _kept(payout: Payout) -> tuple[int, dict[str, str]]:
    return 303, {"payout": shown("payout", payout.id)}


def _record(payout: Payout, request: PortalRequest) -> list[Entry]:
    """Who did what when, by name: these are the people who answer for it."""
    events = list(events_of(payout.id))
    names = names_of(event.actor_party_id for event in events)
    return [
        Entry(
            at=event.at,
            role=who(event.actor_party_id, request.actor, names),
            sentence=record_sentence(event),
        )
        for event in events
    ]


urlpatterns = [
    path("finance", finance, name="finance"),
    path("finance/parties/<str:party>", party_page, name="finance-party"),
    path("finance/parties/<str:party>/payout", propose, name="propose-payout"),
    path("finance/payouts/<str:payout>", payout_page, name="payout"),
    path("finance/payouts/<str:payout>/approve", approve, name="approve-payout"),
    path("finance/payouts/<str:payout>/pay", pay, name="pay-payout"),
    path("finance/payouts/<str:payout>/cancel", cancel, name="cancel-payout"),
]
