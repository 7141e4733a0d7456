"""What somebody earned and was paid; and for finance, the money that is set aside."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, only_for, signed_in
from accounts.rates.queries import rate_card
from accounts.rates.words import shown_rate_card
from core.api import page_of
from core.clock import now
from core.errors import Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.money import Money, amount_words, read_money, shown_money
from review.ledger.commands import record_funding, reverse_transaction
from review.ledger.models import LedgerTransaction
from review.ledger.queries import (
    currency_of,
    fundings_of,
    owed_to,
    statement_of,
    treasury_of,
)
from review.ledger.words import shown_fundings, shown_lines, shown_sum

LINES_ON_A_PAGE = 50
FUNDINGS_ON_A_PAGE = 20


class NewFunding(forms.Form):
    """Limits are the command's to judge; the page reads the amount as the language writes it."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    words = forms.CharField(
        label=gettext_lazy("What it is"),
        help_text=gettext_lazy("For instance which instalment. It stays in the ledger."),
        required=False,
        widget=forms.TextInput(attrs={"maxlength": 200, "autocomplete": "off"}),
    )
    # One form funds once, however often it is sent.
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].help_text = _("In %(currency)s.") % {"currency": currency}

    def clean_amount(self) -> Money:
        money = read_money(self.cleaned_data["amount"], self.currency)
        if money is None:
            raise forms.ValidationError(amount_words())
        return money


@require_GET
@signed_in
def earnings(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    moment = now()
    page = page_of(
        statement_of(actor.party_id, actor.programme),
        {"limit": LINES_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-number",),
    )
    context = {
        "sum": shown_sum(owed_to(actor.party_id, actor.programme)),
        "lines": shown_lines(page.rows, reader=actor),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "card": shown_rate_card(rate_card(actor.programme, moment)),
    }
    return render(request, "review/ledger/earnings.html", context)


@require_http_methods(["GET", "POST"])
@only_for("finance", "manager", "auditor")
def fundings(request: PortalRequest) -> HttpResponse:
    """Money set aside and taken back; finance records more of it here."""
    currency = currency_of(request.actor.programme)
    if request.method == "GET":
        return _fundings(request, NewFunding(currency=currency, initial={"once": uuid4().hex}))
    form = NewFunding(request.POST, currency=currency)
    if not form.is_valid():
        return _fundings(request, form, status=422)
    try:
        _record(request, form.cleaned_data)
    except AlreadyAnswered:
        return redirect("finance")
    except Refusal as refusal:
        return _refused(request, form, refusal)
    money = shown_money(form.cleaned_data["amount"])
    messages.success(request, _("%(money)s is set aside.") % {"money": money})
    return redirect("finance")


@require_POST
@only_for("finance")
def reverse_funding(request: PortalRequest, transaction: str) -> HttpResponse:
    try:
        reverse_transaction(
            actor=request.actor,
            transaction_id=transaction,
            words=request.POST.get("words", ""),
        )
    except Refusal as refusal:
        if refusal.http_status == 404:
            raise
        form = NewFunding(
            currency=currency_of(request.actor.programme), initial={"once": uuid4().hex}
        )
        return _fundings(request, form, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("That is taken back."))
    return redirect("fundings")


def _record(request: PortalRequest, wish: dict[str, Any]) -> None:
    actor = request.actor
    record_funding(
        actor=actor,
        amount_micro=wish["amount"].amount_micro,
        words=wish["words"],
        once=Once.of(
            scope=f"{actor.party_id}:{actor.programme}:funding",
            key=wish["once"],
            payload=[wish["amount"].amount_micro, wish["words"]],
        ),
        answer=_kept,
    )


def _kept(funding: LedgerTransaction) -> tuple[int, dict[str, str]]:
    return 303, {"transaction": shown("transaction", funding.id)}


def _refused(request: PortalRequest, form: NewFunding, refusal: Refusal) -> HttpResponse:
    field = {"amount_micro": "amount"}.get(refusal.field or "", refusal.field)
    if field in form.fields:
        form.add_error(field, refusal.sentence)
        return _fundings(request, form, status=refusal.http_status)
    return _fundings(request, form, refusal=refusal, status=refusal.http_status)


def _fundings(
    request: PortalRequest,
    form: NewFunding,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = request.actor
    page = page_of(
        fundings_of(actor),
        {"limit": FUNDINGS_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-posted_at", "-id"),
    )
    treasury = treasury_of(actor.programme)
    context = {
        "form": form,
        "refusal": refusal,
        "treasury": shown_money(treasury),
        "fundings": shown_fundings(page.rows, treasury.currency),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "may_fund": "finance" in actor.roles,
    }
    return render(request, "review/ledger/fundings.html", context, status=status)


urlpatterns = [
    path("earnings", earnings, name="earnings"),
    path("finance/fundings", fundings, name="fundings"),
    path("finance/transactions/<str:transaction>/reverse", reverse_funding, name="reverse-funding"),
]
