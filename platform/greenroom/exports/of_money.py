"""What somebody earned and was paid: the lines of their own accounts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from accounts.credentials.queries import Actor
from core.ids import shown
from core.money import PLACES
from greenroom.exports.documents import Row, each, id_of
from review.ledger.models import LedgerAccount
from review.ledger.queries import owed_after, statement_of
from review.ledger.rules import AccountKind
from review.ledger.words import subject_of
from review.payouts.models import Payout

STATEMENT_COLUMNS = [
    "posted_at",
    "programme",
    "kind",
    "subject",
    "act_kind",
    "rate_micro",
    "amount_micro",
    "amount",
    "balance_micro",
    "balance",
    "currency",
    "words",
]


def statements(reader: Actor) -> Iterator[Row]:
    """Every line of what is owed to this person, programme by programme, the oldest first."""
    for programme_id in programmes_owing(reader.party_id):
        for entry in each(statement_of(reader.party_id, programme_id).order_by("number")):
            posted, act = entry.transaction, entry.transaction.act
            amount, balance = -entry.amount_micro, owed_after(entry)
            yield {
                "posted_at": posted.posted_at,
                "programme": shown("programme", programme_id),
                "kind": posted.kind,
                "subject": subject_of(posted),
                "act_kind": act.kind if act else "",
                "rate_micro": act.rate.amount_micro if act else None,
                "amount_micro": amount,
                "amount": decimal(amount),
                "balance_micro": balance,
                "balance": decimal(balance),
                "currency": entry.currency,
                "words": posted.words,
            }


def payouts(reader: Actor) -> Iterator[Row]:
    mine = Payout.objects.filter(party_id=reader.party_id).order_by("made_at", "id")
    for one in each(mine):
        yield {
            "id": shown("payout", one.id),
            "programme": shown("programme", one.programme_id),
            "state": one.state,
            "amount_micro": one.amount_micro,
            "amount": decimal(one.amount_micro),
            "currency": one.currency,
            "reference": one.reference,
            "proposed_at": one.made_at,
            "ended_at": one.ended_at,
            "transaction": id_of("transaction", one.transaction_id),
        }


def programmes_owing(party_id: UUID) -> list[UUID]:
    """Those in which something was ever owed to this party."""
    accounts = LedgerAccount.objects.filter(kind=AccountKind.OWED, party_id=party_id)
    return list(accounts.order_by("made_at", "id").values_list("programme_id", flat=True))


def decimal(amount_micro: int) -> str:
    """With a point and six decimals, whatever the language: for programs and spreadsheets."""
    return f"{Decimal(amount_micro).scaleb(-PLACES):.6f}"
