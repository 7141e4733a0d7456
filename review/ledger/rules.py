"""Kinds of accounts and transactions, and the lines each transaction is made of.

Amounts are signed micro-units: a debit is positive, a credit negative, and the lines of a
transaction sum to zero.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextChoices


class AccountKind(TextChoices):
    """``treasury`` holds what was set aside and is never below zero; ``owed`` is one party's, and
    never above zero: nobody is paid more than is owed to them."""

    FUNDER = "funder"
    TREASURY = "treasury"
    FEES = "fees"
    OWED = "owed"


class TransactionKind(TextChoices):
    FUNDING = "funding"
    ACT = "act"
    PAYOUT = "payout"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Line:
    """``party_id`` for what is owed, and for nothing else."""

    account: AccountKind
    amount_micro: int
    party_id: UUID | None = None


def funding_lines(amount_micro: int) -> list[Line]:
    """Money set aside by whoever pays for the programme."""
    return [
        Line(AccountKind.TREASURY, amount_micro),
        Line(AccountKind.FUNDER, -amount_micro),
    ]


def act_lines(party_id: UUID, amount_micro: int) -> list[Line]:
    """A fee that somebody earned and is owed from now on."""
    return [
        Line(AccountKind.FEES, amount_micro),
        Line(AccountKind.OWED, -amount_micro, party_id),
    ]


def payout_lines(party_id: UUID, amount_micro: int) -> list[Line]:
    """What was owed leaves the treasury."""
    return [
        Line(AccountKind.OWED, amount_micro, party_id),
        Line(AccountKind.TREASURY, -amount_micro),
    ]


def payload_sha256(kind: TransactionKind, currency: str, lines: list[Line], about: str) -> str:
    """What stands behind an idempotency key: the same key must always carry the same digest.

    ``about`` is whatever else must not differ, such as the rate and the moment of an act.
    """
    told = [
        kind.value,
        currency,
        about,
        [[line.account.value, str(line.party_id or ""), line.amount_micro] for line in lines],
    ]
    text = json.dumps(told, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
