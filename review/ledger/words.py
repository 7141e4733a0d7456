"""Statements and balances as pages show them: the same lines for whoever reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.credentials.queries import Actor
from accounts.credentials.rules import SCOPE_ROLES, Scope
from accounts.people.models import Party
from accounts.rates.rules import ActKind
from accounts.rates.words import KIND_WORDS
from core.ids import shown
from core.money import Money, figure, places_of, shown_money
from generation.clips.rules import viewing_role
from review.ledger.models import Act, LedgerEntry, LedgerTransaction
from review.ledger.queries import Owed, TrialLine, owed_after
from review.ledger.rules import AccountKind, TransactionKind

ACCOUNT_WORDS = {
    AccountKind.FUNDER: gettext_lazy("Given by whoever funds the programme"),
    AccountKind.TREASURY: gettext_lazy("Treasury: set aside and not yet paid"),
    AccountKind.FEES: gettext_lazy("Fees for what was done"),
    AccountKind.OWED: gettext_lazy("Owed to people"),
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """``subject`` is the public id of what it was for, ``url`` leads there if the reader may go.

    ``amount`` carries its sign: what was earned is plain, what was paid has a minus.
    """

    at: datetime
    what: Any
    detail: str
    subject: str
    url: str | None
    rate: str
    amount: str
    balance: str


@dataclass(frozen=True, slots=True)
class ShownSum:
    """The arithmetic: ``earned`` − ``paid`` = ``left``, in figures that align."""

    earned: str
    paid: str
    left: str
    currency: str
    is_nothing: bool


@dataclass(frozen=True, slots=True)
class ShownTrialLine:
    words: Any
    debit: str
    credit: str
    balance: str


@dataclass(frozen=True, slots=True)
class ShownFunding:
    public_id: str
    at: datetime
    what: Any
    words: str
    amount: str
    may_be_reversed: bool


def shown_acts(acts: Iterable[Act]) -> list[dict[str, Any]]:
    """What was earned, for ``review/ledger/_earned.html``."""
    return [
        {
            "at": act.occurred_at,
            "what": KIND_WORDS[ActKind(act.kind)],
            "amount": shown_money(Money(act.amount_micro, act.currency)),
            "rate": shown("rate", act.rate_id),
        }
        for act in acts
    ]


def shown_lines(entries: list[LedgerEntry], *, reader: Actor) -> list[ShownLine]:
    """A page of ``statement_of``, with figures that align on their point."""
    amounts = [Money(-entry.amount_micro, entry.currency) for entry in entries]
    balances = [Money(owed_after(entry), entry.currency) for entry in entries]
    places = places_of([*amounts, *balances])
    return [
        ShownLine(
            at=entry.transaction.posted_at,
            what=_what(entry.transaction),
            detail=_detail(entry.transaction),
            subject=subject_of(entry.transaction),
            url=_url(entry.transaction, reader, is_own=_is_own(entry, reader)),
            rate=_rate(entry.transaction),
            amount=figure(amount, places),
            balance=figure(balance, places),
        )
        for entry, amount, balance in zip(entries, amounts, balances, strict=True)
    ]


def shown_sum(owed: Owed) -> ShownSum:
    places = places_of([owed.earned, owed.paid])
    return ShownSum(
        earned=figure(owed.earned, places),
        paid=figure(owed.paid, places),
        left=figure(owed.left, places),
        currency=owed.earned.currency,
        is_nothing=owed.earned.amount_micro == 0,
    )


def shown_trial(lines: list[TrialLine]) -> list[ShownTrialLine]:
    """Every kind of account, and the sums below them, which are equal or something is broken."""
    places = places_of(each for line in lines for each in (line.debit, line.credit))
    rows = [(ACCOUNT_WORDS[line.kind], line.debit, line.credit) for line in lines]
    nothing = Money(0, lines[0].debit.currency)
    debits = sum((line.debit for line in lines), nothing)
    credits_ = sum((line.credit for line in lines), nothing)
    return [
        ShownTrialLine(
            words=words,
            debit=figure(debit, places),
            credit=figure(credit, places),
            balance=figure(debit - credit, places),
        )
        for words, debit, credit in [*rows, (_("Together"), debits, credits_)]
    ]


def shown_fundings(fundings: Iterable[LedgerTransaction], currency: str) -> list[ShownFunding]:
    return [
        ShownFunding(
            public_id=shown("transaction", funding.id),
            at=funding.posted_at,
            what=_what(funding),
            words=funding.words,
            amount=shown_money(Money(_into_treasury(funding), currency)),
            may_be_reversed=funding.kind == TransactionKind.FUNDING
            and getattr(funding, "reversed_by", None) is None,
        )
        for funding in fundings
    ]


def subject_of(transaction: LedgerTransaction) -> str:
    """The public id of what a transaction was for."""
    act = transaction.act
    if act is not None:
        return shown("clip" if act.kind == ActKind.RELEASE else "contribution", act.subject_id)
    payout = getattr(transaction, "payout", None)
    if payout is not None:
        return shown("payout", payout.id)
    return shown("transaction", transaction.id)


def party_name(party: Party) -> str:
    """Who is behind a party, for those who must know whom they pay; empty once erased."""
    person = getattr(party, "person", None)
    return person.get_full_name() if person else ""


def _what(transaction: LedgerTransaction) -> Any:
    if transaction.kind == TransactionKind.ACT and transaction.act is not None:
        return KIND_WORDS[ActKind(transaction.act.kind)]
    words = {
        TransactionKind.FUNDING: _("Money set aside"),
        TransactionKind.PAYOUT: _("Paid out"),
        TransactionKind.REVERSAL: _("Taken back"),
    }
    return words[TransactionKind(transaction.kind)]


def _detail(transaction: LedgerTransaction) -> str:
    payout = getattr(transaction, "payout", None)
    return payout.reference if payout else transaction.words


def _url(transaction: LedgerTransaction, reader: Actor, *, is_own: bool) -> str | None:
    """The clip, the contribution or the payout, where the reader finds something there."""
    act, roles = transaction.act, reader.roles
    if act is not None and act.kind == ActKind.RELEASE:
        page, is_open = "clip", is_own or viewing_role(roles) is not None
    elif act is not None:
        triagers = SCOPE_ROLES[Scope.CONTRIBUTIONS_TRIAGE]
        page, is_open = "contribution", is_own or bool(roles & triagers)
    else:
        is_payout = transaction.kind == TransactionKind.PAYOUT
        page, is_open = "payout", is_payout and bool(roles & SCOPE_ROLES[Scope.LEDGER_READ])
    return reverse(page, args=[subject_of(transaction)]) if is_open else None


def _rate(transaction: LedgerTransaction) -> str:
    act = transaction.act
    return shown_money(Money(act.rate.amount_micro, act.currency)) if act is not None else ""


def _is_own(entry: LedgerEntry, reader: Actor) -> bool:
    act = entry.transaction.act
    return act is not None and act.party_id == reader.party_id


def _into_treasury(transaction: LedgerTransaction) -> int:
    return sum(
        entry.amount_micro
        for entry in transaction.entries.all()
        if entry.account.kind == AccountKind.TREASURY
    )
