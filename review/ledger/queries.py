"""What is owed, what was paid, and the proof that both are the sum of their lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Prefetch, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce

from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.people.models import Party, Person
from accounts.programmes.models import Programme
from core.errors import Absent
from core.ids import read_id
from core.money import Money
from generation.clips.models import Clip
from review.ledger.models import Act, LedgerBalance, LedgerEntry, LedgerTransaction
from review.ledger.rules import AccountKind, TransactionKind


@dataclass(frozen=True, slots=True)
class Owed:
    """``earned`` − ``paid`` = ``left``, in micro-units of the programme's currency."""

    earned: Money
    paid: Money

    @property
    def left(self) -> Money:
        return self.earned - self.paid


@dataclass(frozen=True, slots=True)
class TrialLine:
    """All accounts of a kind together. Over all kinds, debits equal credits."""

    kind: AccountKind
    debit: Money
    credit: Money

    @property
    def balance(self) -> Money:
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two figures that should be one: ``what`` is the rule, ``thing`` and ``id`` where it broke."""

    what: str
    thing: str
    id: UUID
    expected_micro: int
    found_micro: int


def currency_of(programme_id: UUID) -> str:
    """A programme pays in one currency, which never changes."""
    return Programme.objects.values_list("currency", flat=True).get(id=programme_id)


def owed_to(party_id: UUID, programme_id: UUID) -> Owed:
    """Summed from the lines themselves. Two queries."""
    currency = currency_of(programme_id)
    of_payouts = Q(transaction__kind=TransactionKind.PAYOUT)
    sums: dict[str, Any] = _owed_lines(party_id, programme_id).aggregate(
        earned=Coalesce(Sum("amount_micro", filter=~of_payouts), 0),
        paid=Coalesce(Sum("amount_micro", filter=of_payouts), 0),
    )
    return Owed(Money(-int(sums["earned"]), currency), Money(int(sums["paid"]), currency))


def statement_of(party_id: UUID, programme_id: UUID) -> QuerySet[LedgerEntry]:
    """Every line of what is owed to a party, newest first, each with what it was for.

    ``running_micro`` is the balance after that line (a credit balance is negative), summed in SQL
    from the first line on. Lines of one account are written one after the other, under its
    balance's lock, so their numbers are in the order of their writing. A page is cut from the end
    (``page_of`` by ``-number``): leaving out newer lines changes no older balance.
    """
    running = Window(
        Sum("amount_micro"), partition_by=[F("account_id")], order_by=[F("number").asc()]
    )
    return (
        _owed_lines(party_id, programme_id)
        .select_related("transaction__act__rate", "transaction__payout", "transaction__reverses")
        .annotate(running_micro=running)
        .order_by("-number")
    )


def owed_after(entry: LedgerEntry) -> int:
    """What was owed after this line of a ``statement_of``, in micro-units."""
    running: int = getattr(entry, "running_micro")  # noqa: B009  (an annotation has no type)
    return -running


def acts_of_clip(clip_id: UUID) -> QuerySet[Act]:
    """What the clip's release and what was contributed about it earned, the oldest first."""
    # By relation: contributions belong to a feature above this one.
    about = Clip.objects.filter(id=clip_id, contributions__isnull=False).values("contributions__id")
    return (
        Act.objects.filter(Q(subject_id=clip_id) | Q(subject_id__in=about))
        .select_related("rate")
        .order_by("recorded_at", "id")
    )


def trial_balance(programme_id: UUID) -> list[TrialLine]:
    """Debits and credits of every kind of account, from the lines. Two queries."""
    currency = currency_of(programme_id)
    rows = (
        LedgerEntry.objects.filter(programme_id=programme_id)
        .values("account__kind")
        .annotate(
            debit=Coalesce(Sum("amount_micro", filter=Q(amount_micro__gt=0)), 0),
            credit=Coalesce(Sum("amount_micro", filter=Q(amount_micro__lt=0)), 0),
        )
        .values_list("account__kind", "debit", "credit")
    )
    found = {kind: (int(debit), -int(credit)) for kind, debit, credit in rows}
    return [
        TrialLine(kind, *(Money(each, currency) for each in found.get(kind, (0, 0))))
        for kind in AccountKind
    ]


def treasury_of(programme_id: UUID) -> Money:
    """What is there to be paid out."""
    balance = LedgerBalance.objects.filter(
        account__programme_id=programme_id, kind=AccountKind.TREASURY
    ).aggregate(sum=Coalesce(Sum("balance_micro"), 0))
    return Money(int(balance["sum"]), currency_of(programme_id))


def unspoken_for(programme_id: UUID) -> Money:
    """What was set aside and is owed to nobody yet."""
    balances = LedgerBalance.objects.filter(
        account__programme_id=programme_id, kind__in=[AccountKind.TREASURY, AccountKind.OWED]
    ).aggregate(sum=Coalesce(Sum("balance_micro"), 0))
    return Money(int(balances["sum"]), currency_of(programme_id))


def balances_of(actor: Actor) -> QuerySet[LedgerBalance]:
    """Every account of the programme with its balance, for those who read the ledger."""
    actor.must_act(Scope.LEDGER_READ)
    return LedgerBalance.objects.filter(account__programme_id=actor.programme).select_related(
        "account"
    )


def owed_balances(actor: Actor) -> QuerySet[LedgerBalance]:
    """What is owed to each party, the most first, with the person behind it where there is one."""
    return (
        balances_of(actor)
        .filter(kind=AccountKind.OWED)
        .select_related("account__party__person__detail")
        .order_by("balance_micro", "account")
    )


def party_for(actor: Actor, shown_id: str) -> Party:
    """A member of the programme, past or present, for those who read the ledger."""
    actor.must_act(Scope.LEDGER_READ)
    party_id = read_id("party", shown_id)
    found = (
        Party.objects.filter(id=party_id, memberships__programme_id=actor.programme)
        .select_related("person__detail")
        .first()
        if party_id
        else None
    )
    if found is None:
        raise Absent
    return found


def is_of_programme(programme_id: UUID, party_id: UUID) -> bool:
    """A member, past or present: what is owed outlives a membership."""
    return Party.objects.filter(id=party_id, memberships__programme_id=programme_id).exists()


def names_of(party_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names of people, for those who must know whom they pay. Erased ones are left out."""
    people = Person.objects.filter(party_id__in={each for each in party_ids if each})
    return {person.party_id: person.get_full_name() for person in people.select_related("detail")}


def transactions_of(actor: Actor) -> QuerySet[LedgerTransaction]:
    """Every transaction of the programme with its lines, for those who read the ledger."""
    actor.must_act(Scope.LEDGER_READ)
    return _transactions(actor.programme)


def fundings_of(actor: Actor) -> QuerySet[LedgerTransaction]:
    """Money set aside and taken back, newest first."""
    is_funding = Q(kind=TransactionKind.FUNDING) | Q(reverses__kind=TransactionKind.FUNDING)
    return transactions_of(actor).filter(is_funding).order_by("-posted_at", "-id")


def transaction_for(actor: Actor, shown_id: str) -> LedgerTransaction:
    return _one(transactions_of(actor), shown_id)


def transaction_to_reverse(actor: Actor, shown_id: str) -> LedgerTransaction:
    """For who funds the programme; reading all of its ledger is another scope."""
    actor.must_act(Scope.LEDGER_FUND)
    return _one(_transactions(actor.programme), shown_id)


def ledger_discrepancies() -> list[Discrepancy]:
    """The proof of the house: it is empty, always. One query over all programmes."""
    with connection.cursor() as cursor:
        cursor.execute(_PROOF)
        return [
            Discrepancy(what, thing, found_at, int(expected), int(found))
            for what, thing, found_at, expected, found in cursor.fetchall()
        ]


def _transactions(programme_id: UUID) -> QuerySet[LedgerTransaction]:
    lines = LedgerEntry.objects.select_related("account").order_by("line")
    return (
        LedgerTransaction.objects.filter(programme_id=programme_id)
        .select_related("reverses", "reversed_by")
        .prefetch_related(Prefetch("entries", queryset=lines))
    )


def _one(transactions: QuerySet[LedgerTransaction], shown_id: str) -> LedgerTransaction:
    transaction_id = read_id("transaction", shown_id)
    found = transactions.filter(id=transaction_id).first() if transaction_id else None
    if found is None:
        raise Absent
    return found


def _owed_lines(party_id: UUID, programme_id: UUID) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        programme_id=programme_id, account__kind=AccountKind.OWED, account__party_id=party_id
    )


_PROOF = """
WITH sums AS (
    SELECT account_id, sum(amount_micro) AS total FROM review_ledgerentry GROUP BY account_id
)
SELECT 'a balance is the sum of its lines', 'account', b.account_id,
       coalesce(s.total, 0), b.balance_micro
FROM review_ledgerbalance b LEFT JOIN sums s USING (account_id)
WHERE b.balance_micro <> coalesce(s.total, 0)

UNION ALL
SELECT 'lines sum to zero', 'transaction', t.id, 0, coalesce(max(abs(e.total)), 0)
FROM review_ledgertransaction t LEFT JOIN (
    SELECT transaction_id, currency, sum(amount_micro) AS total
    FROM review_ledgerentry GROUP BY transaction_id, currency
) e ON e.transaction_id = t.id
GROUP BY t.id HAVING coalesce(max(abs(e.total)), 1) <> 0

UNION ALL
SELECT 'an act is posted in full', 'act', act.id, act.amount_micro,
       coalesce(-sum(e.amount_micro), 0)
FROM review_act act
LEFT JOIN review_ledgertransaction t ON t.act_id = act.id
LEFT JOIN review_ledgerentry e ON e.transaction_id = t.id AND EXISTS (
    SELECT FROM review_ledgeraccount a
    WHERE a.id = e.account_id AND a.kind = 'owed' AND a.party_id = act.party_id)
GROUP BY act.id HAVING coalesce(-sum(e.amount_micro), 0) <> act.amount_micro

UNION ALL
SELECT 'the money budget is what was set aside', 'programme', p.id,
       coalesce(-f.total, 0), coalesce(b."limit", 0)
FROM accounts_programme p
LEFT JOIN accounts_budget b
    ON b.programme_id = p.id AND b.kind = 'money' AND b.party_id IS NULL
LEFT JOIN (
    SELECT a.programme_id, sum(s.total) AS total
    FROM review_ledgeraccount a JOIN sums s ON s.account_id = a.id
    WHERE a.kind = 'funder' GROUP BY a.programme_id
) f ON f.programme_id = p.id
WHERE coalesce(b."limit", 0) <> coalesce(-f.total, 0)

ORDER BY 1, 2, 3
"""
