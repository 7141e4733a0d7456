"""Earnings for whoever earned them; the ledger for those who keep it or check it."""

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
    PageWish,
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
from generation.clips.queries import own_clip_for
from review.ledger.commands import record_funding, reverse_transaction
from review.ledger.models import Act, LedgerBalance, LedgerEntry, LedgerTransaction
from review.ledger.queries import (
    Owed,
    TrialLine,
    acts_of_clip,
    balances_of,
    owed_after,
    owed_to,
    party_for,
    statement_of,
    transaction_for,
    transactions_of,
    trial_balance,
)
from review.ledger.rules import AccountKind, TransactionKind
from review.ledger.words import subject_of

MICRO_UNITS = _("In micro-units: 1 000 000 are one unit of the currency.")


class ShownEarnings(Shape):
    """``earned_micro`` − ``paid_micro`` = ``owed_micro``."""

    currency = Text(help_text=_("ISO 4217."))
    earned_micro = Whole(help_text=MICRO_UNITS)
    paid_micro = Whole()
    owed_micro = Whole()


class ShownStatementLine(Shape):
    id = PublicId("transaction", help_text=_("The transaction that this line is of."))
    kind = serializers.ChoiceField(TransactionKind.choices)
    act = Text(allow_null=True, help_text=_("The kind of act that earned it, null for a payout."))
    subject = Text(help_text=_("The public id of the clip, contribution or payout it was for."))
    rate = PublicId("rate", allow_null=True, help_text=_("The rate that applied."))
    rate_micro = Whole(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True, help_text=_("When it was done."))
    posted_at = serializers.DateTimeField()
    reference = Text(help_text=_("What the bank calls a payout, else empty."))
    amount_micro = Whole(help_text=_("Earned: more than zero; paid: less than zero."))
    owed_micro = Whole(help_text=_("What was owed after this line."))
    currency = Text()


class ShownBalance(Shape):
    account = serializers.ChoiceField(AccountKind.choices, help_text=_("The kind of account."))
    party = PublicId("party", allow_null=True, help_text=_("To whom it is owed, else null."))
    currency = Text()
    balance_micro = Whole(help_text=_("A debit is positive, a credit negative."))


class ShownEntry(Shape):
    line = Whole()
    account = serializers.ChoiceField(AccountKind.choices)
    party = PublicId("party", allow_null=True)
    currency = Text()
    amount_micro = Whole(help_text=_("A debit is positive, a credit negative; they sum to zero."))


class ShownTransaction(Shape):
    id = PublicId("transaction")
    url = Text()
    kind = serializers.ChoiceField(TransactionKind.choices)
    words = Text()
    reverses = PublicId("transaction", allow_null=True)
    reversed_by = PublicId("transaction", allow_null=True)
    posted_at = serializers.DateTimeField()
    entries = ShownEntry(many=True)


class FundingWish(Shape):
    amount_micro = Whole(
        help_text=_("In micro-units, and a whole number of the currency's smallest units.")
    )
    words = Text(required=False, allow_blank=True, help_text=_("What it is, in one line."))


class ReversalWish(Shape):
    words = Text(help_text=_("Why, in one line."))


class Earnings(Endpoint):
    @operation(
        scope=Scope.EARNINGS_READ,
        summary=_("What you earned, were paid and are owed"),
        words=_("In this programme, summed from the lines."),
        answers=ShownEarnings,
    )
    def get(self, _request: Request) -> Response:
        return self.answer(shown_owed(owed_to(self.actor.party_id, self.actor.programme)))


class EarningLines(Endpoint):
    @operation(
        scope=Scope.EARNINGS_READ,
        summary=_("Your statement, line by line"),
        words=_("Newest first, each with what it was for, its rate and the balance after it."),
        answers=ShownStatementLine,
        query=PageWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        mine = statement_of(self.actor.party_id, self.actor.programme)
        page = page_of(mine, self.asked_in_query(), by=("-number",))
        return self.answer(page.shown([shown_line(entry) for entry in page.rows]))


class BalancesWish(PageWish):
    account = serializers.ChoiceField(
        AccountKind.choices, required=False, help_text=_("Only accounts of this kind.")
    )
    party = PublicId("party", required=False, help_text=_("Only what is owed to this party."))


class TransactionsWish(TimesWish):
    kind = serializers.ChoiceField(
        TransactionKind.choices, required=False, help_text=_("Only of this kind.")
    )


class ShownTrialLine(Shape):
    account = serializers.ChoiceField(AccountKind.choices, help_text=_("All of this kind."))
    debit_micro = Whole(help_text=MICRO_UNITS)
    credit_micro = Whole()
    balance_micro = Whole(help_text=_("A debit is positive, a credit negative."))
    currency = Text()


class ShownAct(Shape):
    id = PublicId("act")
    kind = serializers.CharField()
    amount_micro = Whole(help_text=MICRO_UNITS)
    currency = Text()
    rate = PublicId("rate")
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


class TrialBalance(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("The trial balance"),
        words=_("Debits and credits by kind of account; over all of them the two are equal."),
        answers=ShownTrialLine,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        self.actor.must_act(Scope.LEDGER_READ)
        items = [_trial(line) for line in trial_balance(self.actor.programme)]
        return self.answer({"items": items, "next": None})


class EarningsOfClip(Endpoint):
    @operation(
        scope=Scope.EARNINGS_READ,
        summary=_("What your clip earned"),
        words=_("By its release and by what you contributed about it, the oldest first."),
        answers=ShownAct,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request, clip_id: str) -> Response:
        clip = own_clip_for(self.actor, clip_id)
        items = [_act(act) for act in acts_of_clip(clip.id)]
        return self.answer({"items": items, "next": None})


class Balances(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("Every account and its balance"),
        words=_("All balances together are zero."),
        answers=ShownBalance,
        query=BalancesWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        wish = self.asked_in_query()
        rows = only(balances_of(self.actor), wish, account="kind", party="account__party_id")
        page = page_of(rows, wish, by=("account",))
        return self.answer(page.shown([_balance(row) for row in page.rows]))


class PartyLines(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("A party's statement, line by line"),
        words=_("The very lines that the party sees."),
        answers=ShownStatementLine,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request, party: str) -> Response:
        found = party_for(self.actor, party)
        lines = statement_of(found.id, self.actor.programme)
        page = page_of(lines, self.asked_in_query(), by=("-number",))
        return self.answer(page.shown([shown_line(entry) for entry in page.rows]))


class Transactions(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("The ledger's transactions"),
        words=_("Newest first, each with its lines."),
        answers=ShownTransaction,
        query=TransactionsWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        wish = self.asked_in_query()
        rows = only(transactions_of(self.actor), wish, kind="kind")
        page = page_of(within(rows, wish, "posted_at"), wish, by=("-posted_at", "-id"))
        return self.answer(page.shown([_transaction(row) for row in page.rows]))


class OneTransaction(Endpoint):
    @operation(
        scope=Scope.LEDGER_READ,
        summary=_("One transaction"),
        answers=ShownTransaction,
        refuses=(404,),
    )
    def get(self, _request: Request, transaction: str) -> Response:
        return self.answer(_transaction(transaction_for(self.actor, transaction)))


class Funding(Endpoint):
    @operation(
        scope=Scope.LEDGER_FUND,
        summary=_("Record money set aside"),
        words=_("Into the treasury; the programme's money budget grows by the same amount."),
        asks=FundingWish,
        answers=ShownTransaction,
        status=201,
        is_repeatable=True,
        refuses=(404,),
        example={"amount_micro": 1_000_000_000, "words": "First instalment"},
    )
    def post(self, _request: Request) -> Response:
        first: dict[str, Any] = {}

        def answer(funding: LedgerTransaction) -> tuple[int, Any]:
            first.update(_transaction(funding))
            return self.operation.status, first

        funding = record_funding(actor=self.actor, once=self.once(), answer=answer, **self.asked())
        return self.answer(first or _transaction(funding))


class Reversal(Endpoint):
    @operation(
        scope=Scope.LEDGER_FUND,
        summary=_("Take a funding back"),
        words=_(
            "By its mirror. Refused where the budget is in use or the money has gone; what was"
            " earned or paid is not reversed here."
        ),
        asks=ReversalWish,
        answers=ShownTransaction,
        refuses=(404, 409, 429),
        example={"words": "Recorded twice"},
    )
    def post(self, _request: Request, transaction: str) -> Response:
        reversal = reverse_transaction(
            actor=self.actor, transaction_id=transaction, words=self.asked()["words"]
        )
        return self.answer(_transaction(reversal))


def shown_owed(owed: Owed) -> dict[str, Any]:
    facts = {
        "currency": owed.earned.currency,
        "earned_micro": owed.earned.amount_micro,
        "paid_micro": owed.paid.amount_micro,
        "owed_micro": owed.left.amount_micro,
    }
    return dict(ShownEarnings(facts).data)


def shown_line(entry: LedgerEntry) -> dict[str, Any]:
    transaction = entry.transaction
    act, payout = transaction.act, getattr(transaction, "payout", None)
    facts = {
        "id": transaction.id,
        "kind": transaction.kind,
        "act": act.kind if act else None,
        "subject": subject_of(transaction),
        "rate": act.rate_id if act else None,
        "rate_micro": act.rate.amount_micro if act else None,
        "occurred_at": act.occurred_at if act else None,
        "posted_at": transaction.posted_at,
        "reference": payout.reference if payout else "",
        "amount_micro": -entry.amount_micro,
        "owed_micro": owed_after(entry),
        "currency": entry.currency,
    }
    return dict(ShownStatementLine(facts).data)


def _trial(line: TrialLine) -> dict[str, Any]:
    facts = {
        "account": line.kind,
        "debit_micro": line.debit.amount_micro,
        "credit_micro": line.credit.amount_micro,
        "balance_micro": line.balance.amount_micro,
        "currency": line.debit.currency,
    }
    return dict(ShownTrialLine(facts).data)


def _act(act: Act) -> dict[str, Any]:
    return dict(ShownAct(act).data)


def _balance(row: LedgerBalance) -> dict[str, Any]:
    facts = {
        "account": row.kind,
        "party": row.account.party_id,
        "currency": row.account.currency,
        "balance_micro": row.balance_micro,
    }
    return dict(ShownBalance(facts).data)


def _transaction(row: LedgerTransaction) -> dict[str, Any]:
    reversal = getattr(row, "reversed_by", None)
    facts = {
        "id": row.id,
        "url": reverse("api-ledger-transaction", args=[shown("transaction", row.id)]),
        "kind": row.kind,
        "words": row.words,
        "reverses": row.reverses_id,
        "reversed_by": reversal.id if reversal else None,
        "posted_at": row.posted_at,
        "entries": [
            {
                "line": entry.line,
                "account": entry.account.kind,
                "party": entry.account.party_id,
                "currency": entry.currency,
                "amount_micro": entry.amount_micro,
            }
            for entry in row.entries.all()
        ],
    }
    return dict(ShownTransaction(facts).data)


urlpatterns = [
    path("earnings", Earnings.as_view(), name="api-earnings"),
    path("earnings/lines", EarningLines.as_view(), name="api-earnings-lines"),
    path("clips/<str:clip_id>/earnings", EarningsOfClip.as_view(), name="api-clip-earnings"),
    path("ledger/trial-balance", TrialBalance.as_view(), name="api-ledger-trial-balance"),
    path("ledger/balances", Balances.as_view(), name="api-ledger-balances"),
    path("ledger/parties/<str:party>/lines", PartyLines.as_view(), name="api-ledger-party-lines"),
    path("ledger/funding", Funding.as_view(), name="api-ledger-funding"),
    path("ledger/transactions", Transactions.as_view(), name="api-ledger-transactions"),
    path(
        "ledger/transactions/<str:transaction>",
        OneTransaction.as_view(),
        name="api-ledger-transaction",
    ),
    path(
        "ledger/transactions/<str:transaction>/reverse",
        Reversal.as_view(),
        name="api-ledger-transaction-reverse",
    ),
]
