"""Payouts: propose, approve, pay, cancel. Each by its own scope, and by the right person."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import (
    Endpoint,
    PublicId,
    Shape,
    Text,
    TimesWish,
    Whole,
    only,
    operation,
    page_of,
    within,
)
from core.ids import shown
from review.payouts.commands import (
    approve_payout,
    cancel_payout,
    pay_payout,
    propose_payout,
)
from review.payouts.models import Payout
from review.payouts.queries import payout_for, payouts_of
from review.payouts.rules import State


class ShownApproval(Shape):
    approver = PublicId("party")
    at = serializers.DateTimeField()


class ShownPayout(Shape):
    id = PublicId("payout")
    url = Text()
    party = PublicId("party")
    amount_micro = Whole(help_text=_("In micro-units; whole smallest units of the currency."))
    currency = Text()
    instruction_sha256 = Text(
        help_text=_("SHA-256 over who is paid how much; an approval names it.")
    )
    state = serializers.ChoiceField(State.choices)
    made_by = PublicId("party", help_text=_("Who proposed it; somebody else approves it."))
    made_at = serializers.DateTimeField()
    approvals = ShownApproval(many=True)
    paid_by = PublicId("party", allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True, help_text=_("Paid or cancelled."))
    reference = Text(help_text=_("What the bank calls the transfer; empty until it is paid."))
    transaction = PublicId("transaction", allow_null=True)


class PayoutWish(Shape):
    party = PublicId("party", help_text=_("Who is paid everything that is owed to them."))


class ApprovalWish(Shape):
    instruction_sha256 = Text(help_text=_("From the payout that you have read."))


class PaymentWish(Shape):
    reference = Text(help_text=_("What the bank calls the transfer."))


class PayoutsWish(TimesWish):
    party = PublicId("party", required=False, help_text=_("Only to this party."))
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only those that stand there.")
    )


class Payouts(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("The programme's payouts"),
        words=_("Newest first."),
        answers=ShownPayout,
        query=PayoutsWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        wish = self.asked_in_query()
        rows = only(payouts_of(self.actor), wish, party="party_id", state="state")
        page = page_of(within(rows, wish, "made_at"), wish, by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))

    @operation(
        scope=Scope.PAYOUTS_PROPOSE,
        summary=_("Propose a payout"),
        words=_(
            "Of all that is owed to a party, rounded down to the currency's smallest unit; the"
            " rest stays owed."
        ),
        asks=PayoutWish,
        answers=ShownPayout,
        status=201,
        is_repeatable=True,
        refuses=(404, 409),
        example={"party": "par_01a211e12e9779bebaf2c70ab4"},
    )
    def post(self, _request: Request) -> Response:
        payout = propose_payout(
            actor=self.actor,
            party_id=self.asked()["party"],
            once=self.once(),
            answer=self._kept,
        )
        return self.answer(_shown(payout))

    def _kept(self, payout: Payout) -> tuple[int, Any]:
        return self.operation.status, _shown(payout)


class OnePayout(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("One payout"),
        answers=ShownPayout,
        refuses=(404,),
    )
    def get(self, _request: Request, payout: str) -> Response:
        return self.answer(_shown(payout_for(self.actor, payout)))


class Approval(Endpoint):
    @operation(
        scope=Scope.PAYOUTS_APPROVE,
        summary=_("Approve a payout"),
        words=_("By a second person, who is not paid by it either, to exactly one instruction."),
        asks=ApprovalWish,
        answers=ShownPayout,
        refuses=(404, 409),
        example={
            "instruction_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        },
    )
    def post(self, _request: Request, payout: str) -> Response:
        approved = approve_payout(actor=self.actor, payout_id=payout, **self.asked())
        return self.answer(_shown(approved))


class Payment(Endpoint):
    @operation(
        scope=Scope.PAYOUTS_PAY,
        summary=_("Record a payout as paid"),
        words=_(
            "Posted once, however often it is asked for: whoever comes second is answered 409."
            " Refused while the treasury holds less."
        ),
        asks=PaymentWish,
        answers=ShownPayout,
        refuses=(404, 409, 429),
        example={"reference": "SEPA 2026-05-04/17"},
    )
    def post(self, _request: Request, payout: str) -> Response:
        return self.answer(_shown(pay_payout(actor=self.actor, payout_id=payout, **self.asked())))


class Cancellation(Endpoint):
    @operation(
        scope=Scope.PAYOUTS_PROPOSE,
        summary=_("Cancel a payout"),
        words=_("Before it is paid. What was owed stays owed. Doing it twice is fine."),
        answers=ShownPayout,
        refuses=(404, 409),
    )
    def post(self, _request: Request, payout: str) -> Response:
        return self.answer(_shown(cancel_payout(actor=self.actor, payout_id=payout)))


def _shown(row: Payout) -> dict[str, Any]:
    facts = {
        "id": row.id,
        "url": reverse("api-payout", args=[shown("payout", row.id)]),
        "party": row.party_id,
        "amount_micro": row.amount_micro,
        "currency": row.currency,
        "instruction_sha256": row.instruction_sha256,
        "state": row.state,
        "made_by": row.made_by_id,
        "made_at": row.made_at,
        "approvals": [
            {"approver": approval.approver_id, "at": approval.at}
            for approval in row.approvals.all()
        ],
        "paid_by": row.paid_by_id,
        "ended_at": row.ended_at,
        "reference": row.reference,
        "transaction": row.transaction_id,
    }
    return dict(ShownPayout(facts).data)


urlpatterns = [
    path("payouts", Payouts.as_view(), name="api-payouts"),
    path("payouts/<str:payout>", OnePayout.as_view(), name="api-payout"),
    path("payouts/<str:payout>/approve", Approval.as_view(), name="api-payout-approve"),
    path("payouts/<str:payout>/pay", Payment.as_view(), name="api-payout-pay"),
    path("payouts/<str:payout>/cancel", Cancellation.as_view(), name="api-payout-cancel"),
]
