"""Posting. Every transaction is written whole, once, and never touched again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.agreements.queries import acceptance_before
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.quotas.commands import raise_budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.audit.commands import record
from core.errors import AgreementMissing, InvalidOrder, KeyReused, NotAllowed, Refusal, TooLate
from core.errors import Kind as RefusalKind
from core.idempotency.commands import Once
from core.ids import new_id
from core.money import LARGEST_MICRO, Money, shown_money, unit_micro
from core.outbox.commands import say
from core.text import is_readable
from review.ledger.models import (
    Act,
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerTransaction,
)
from review.ledger.queries import currency_of, transaction_to_reverse
from review.ledger.rules import (
    AccountKind,
    Line,
    TransactionKind,
    act_lines,
    funding_lines,
    payload_sha256,
)

LONGEST_WORDS = 200
Answer = Callable[[LedgerTransaction], tuple[int, Any]]


class TreasuryTooLow(Refusal):
    kind = RefusalKind.EXHAUSTED
    code = "treasury_too_low"

    def __init__(self, *, asked: Money, there: Money) -> None:
        super().__init__(
            _("This needs %(asked)s, and %(there)s is set aside. Nothing was posted.")
            % {"asked": shown_money(asked), "there": shown_money(there)},
            asked_micro=asked.amount_micro,
            there_micro=there.amount_micro,
            currency=there.currency,
        )


class MoreThanOwed(Refusal):
    kind = RefusalKind.CONFLICT
    code = "more_than_owed"

    def __init__(self, *, asked: Money, owed: Money) -> None:
        super().__init__(
            _("This needs %(asked)s, and %(owed)s is owed. Nothing was posted.")
            % {"asked": shown_money(asked), "owed": shown_money(owed)},
            asked_micro=asked.amount_micro,
            owed_micro=owed.amount_micro,
            currency=owed.currency,
        )


class NotReversible(NotAllowed):
    code = "only_fundings_are_reversed"


class AlreadyReversed(TooLate):
    code = "already_reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transaction as it is asked for.

    ``key`` is the idempotency key in the programme; ``about`` is what must be the same too when
    the key comes again, beside kind, currency and lines.
    """

    programme_id: UUID
    currency: str
    key: str
    kind: TransactionKind
    lines: list[Line]
    about: str = ""
    act: Act | None = None
    reverses: LedgerTransaction | None = None
    made_by: UUID | None = None
    words: str = ""


def post(posting: Posting) -> LedgerTransaction:
    """Write the transaction, or give back the one that has this key. Inside the caller's own.

    A second poster of the same key waits for the first one's commit. Locks: the key, then the
    balances in the order of their ids. Raises ``KeyReused`` for the same key with something else,
    ``TreasuryTooLow`` and ``MoreThanOwed`` for what would leave a balance beyond its bound.
    """
    digest = payload_sha256(posting.kind, posting.currency, posting.lines, posting.about)
    wanted_id = new_id()
    with transaction.atomic():
        kept = _claim_key(posting, wanted_id, digest)
        if kept.payload_sha256 != digest:
            raise KeyReused
        if kept.id == wanted_id:
            accounts = _accounts(posting)
            _must_stay_within_bounds(posting, _locked_balances(accounts), accounts)
            _write_lines(posting, kept, accounts)
    return kept


def lock_owed(*, programme_id: UUID, party_id: UUID) -> Money:
    """What is owed to a party, standing still until the caller's transaction ends."""
    balances = LedgerBalance.objects.select_for_update(of=("self",)).filter(
        account__programme_id=programme_id, kind=AccountKind.OWED, account__party_id=party_id
    )
    owed_micro = -sum(balances.values_list("balance_micro", flat=True))
    return Money(owed_micro, currency_of(programme_id))


def record_act(
    *,
    programme_id: UUID,
    party_id: UUID,
    kind: ActKind,
    subject_id: UUID,
    rate: Rate,
    occurred_at: datetime,
) -> Act | None:
    """Somebody earned what the rate says, and is owed it. Inside the caller's transaction.

    ``subject_id`` is the clip or the contribution; the same act again gives back the first.
    None where the rate pays nothing. Raises ``AgreementMissing`` for somebody who had accepted no
    agreement of the programme by then.
    """
    if rate.amount_micro == 0:
        return None
    wanted_id = new_id()
    act = _claim_act(
        Act(
            id=wanted_id,
            programme_id=programme_id,
            party_id=party_id,
            kind=kind,
            subject_id=subject_id,
            rate=rate,
            acceptance_id=_acceptance(programme_id, party_id, occurred_at),
            amount_micro=rate.amount_micro,
            currency=rate.currency,
            occurred_at=occurred_at,
        )
    )
    post(
        Posting(
            programme_id=programme_id,
            currency=rate.currency,
            key=f"act:{kind.value}:{subject_id}:{party_id}",
            kind=TransactionKind.ACT,
            lines=act_lines(party_id, rate.amount_micro),
            about=f"{rate.id} {occurred_at.astimezone(UTC).isoformat()}",
            act=act,
        )
    )
    if act.id == wanted_id:
        facts: dict[str, Any] = {
            "act": kind.value,
            "amount_micro": act.amount_micro,
            "currency": act.currency,
        }
        record("act.recorded", subject=("act", act.id), **facts)
        say("act.recorded", subject=("act", act.id), party=party_id, **facts)
    return act


def record_funding(
    *,
    actor: Actor,
    amount_micro: int,
    words: str = "",
    once: Once | None = None,
    answer: Answer | None = None,
) -> LedgerTransaction:
    """Money was set aside for the programme: into the treasury, and its money budget grows by it.

    Raises ``InvalidOrder`` for an amount that cannot be transferred.
    """
    actor.must_act(Scope.LEDGER_FUND)
    _must_make_sense(amount_micro, words)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        funding = _fund(actor.programme, amount_micro, words, actor)
        if once and answer:
            once.keep(*answer(funding))
    return funding


def record_funding_at_the_machine(
    *, programme_id: UUID, amount_micro: int, words: str = ""
) -> LedgerTransaction:
    """The same by the operator, in nobody's name."""
    _must_make_sense(amount_micro, words)
    with transaction.atomic():
        return _fund(programme_id, amount_micro, words, None)


def reverse_transaction(*, actor: Actor, transaction_id: str, words: str) -> LedgerTransaction:
    """Take a funding back by its mirror; the money budget shrinks by the same amount.

    Raises ``NotReversible`` for acts, payouts and reversals, ``AlreadyReversed``, ``InvalidOrder``
    (``limit_below_use``) where the budget is in use, ``TreasuryTooLow`` where the money has gone.
    """
    actor.must_act(Scope.LEDGER_FUND)
    _must_be_words(words, is_needed=True)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        undone = transaction_to_reverse(actor, transaction_id)
        _must_be_reversible(undone)
        lines = [_mirrored(entry) for entry in undone.entries.all()]
        amount_micro = max(abs(line.amount_micro) for line in lines)
        raise_budget(
            programme_id=actor.programme,
            kind=BudgetKind.MONEY,
            by=-amount_micro,
            actor=actor.party_id,
        )
        # Again, now that the budget's lock has put two reversers in a line.
        _must_stand(undone)
        reversal = post(
            Posting(
                programme_id=actor.programme,
                currency=currency_of(actor.programme),
                key=f"reversal:{undone.id}",
                kind=TransactionKind.REVERSAL,
                lines=lines,
                about=str(undone.id),
                reverses=undone,
                made_by=actor.party_id,
                words=words.strip(),
            )
        )
        _tell("funding.reversed", reversal, actor, amount_micro=amount_micro)
    return reversal


def _fund(
    programme_id: UUID, amount_micro: int, words: str, actor: Actor | None
) -> LedgerTransaction:
    currency = currency_of(programme_id)
    if amount_micro % unit_micro(currency):
        raise InvalidOrder(
            "amount_too_fine",
            _("Money that moves is a whole number of the currency's smallest units."),
            field="amount_micro",
            unit_micro=unit_micro(currency),
        )
    party_id = actor.party_id if actor else None
    # The budget before the accounts, as everywhere.
    raise_budget(programme_id=programme_id, kind=BudgetKind.MONEY, by=amount_micro, actor=party_id)
    funding = post(
        Posting(
            programme_id=programme_id,
            currency=currency,
            key=f"funding:{new_id()}",
            kind=TransactionKind.FUNDING,
            lines=funding_lines(amount_micro),
            made_by=party_id,
            words=words.strip(),
        )
    )
    _tell("funding.recorded", funding, actor, amount_micro=amount_micro)
    return funding


def _tell(kind: str, posted: LedgerTransaction, actor: Actor | None, *, amount_micro: int) -> None:
    subject = ("transaction", posted.id)
    record(
        kind,
        subject=subject,
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        amount_micro=amount_micro,
    )
    say(kind, subject=subject, party=None, amount_micro=amount_micro)


def _claim_key(posting: Posting, wanted_id: UUID, digest: str) -> LedgerTransaction:
    """The transaction with this key: ours when its id is the wanted one, else an earlier one."""
    LedgerTransaction.objects.bulk_create(
        [
            LedgerTransaction(
                id=wanted_id,
                programme_id=posting.programme_id,
                key=posting.key,
                payload_sha256=digest,
                kind=posting.kind,
                act=posting.act,
                reverses=posting.reverses,
                made_by_id=posting.made_by,
                words=posting.words,
            )
        ],
        ignore_conflicts=True,
    )
    return LedgerTransaction.objects.get(programme_id=posting.programme_id, key=posting.key)


def _claim_act(wanted: Act) -> Act:
    """The act of this kind, subject and party: ours, or one that was recorded before."""
    Act.objects.bulk_create([wanted], ignore_conflicts=True)
    return Act.objects.get(kind=wanted.kind, subject_id=wanted.subject_id, party_id=wanted.party_id)


def _accounts(posting: Posting) -> dict[tuple[str, UUID | None], LedgerAccount]:
    """The accounts of the lines, made where there are none; each comes with its balance."""
    places = {(line.account.value, line.party_id) for line in posting.lines}
    of_programme = {"programme_id": posting.programme_id, "currency": posting.currency}
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(kind=kind, party_id=party_id, **of_programme)
            for kind, party_id in sorted(places, key=str)
        ],
        ignore_conflicts=True,
    )
    of_nobody, of_parties = (
        Q(party=None),
        Q(party_id__in={party for _kind, party in places if party}),
    )
    rows = LedgerAccount.objects.filter(
        of_nobody | of_parties, kind__in={kind for kind, _party in places}, **of_programme
    )
    return {(row.kind, row.party_id): row for row in rows}


def _locked_balances(
    accounts: dict[tuple[str, UUID | None], LedgerAccount],
) -> dict[UUID, int]:
    balances = (
        LedgerBalance.objects.select_for_update()
        .filter(account__in=[account.id for account in accounts.values()])
        .order_by("account_id")
    )
    return dict(balances.values_list("account_id", "balance_micro"))


def _must_stay_within_bounds(
    posting: Posting,
    balances: dict[UUID, int],
    accounts: dict[tuple[str, UUID | None], LedgerAccount],
) -> None:
    for line in posting.lines:
        before = balances[accounts[line.account.value, line.party_id].id]
        asked = Money(abs(line.amount_micro), posting.currency)
        if line.account is AccountKind.TREASURY and before + line.amount_micro < 0:
            raise TreasuryTooLow(asked=asked, there=Money(before, posting.currency))
        if line.account is AccountKind.OWED and before + line.amount_micro > 0:
            raise MoreThanOwed(asked=asked, owed=Money(-before, posting.currency))


def _write_lines(
    posting: Posting,
    posted: LedgerTransaction,
    accounts: dict[tuple[str, UUID | None], LedgerAccount],
) -> None:
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                transaction=posted,
                line=number,
                programme_id=posting.programme_id,
                account=accounts[line.account.value, line.party_id],
                currency=posting.currency,
                amount_micro=line.amount_micro,
            )
            for number, line in enumerate(posting.lines, 1)
        ]
    )


def _mirrored(entry: LedgerEntry) -> Line:
    account = entry.account
    return Line(AccountKind(account.kind), -entry.amount_micro, account.party_id)


def _acceptance(programme_id: UUID, party_id: UUID, at: datetime) -> UUID:
    acceptance = acceptance_before(programme_id, party_id, at)
    if acceptance is None:
        raise AgreementMissing
    acceptance_id: UUID = acceptance.id
    return acceptance_id


def _must_make_sense(amount_micro: int, words: str) -> None:
    if not 0 < amount_micro <= LARGEST_MICRO:
        raise InvalidOrder(
            "amount_out_of_range",
            _("An amount is more than nothing and at most a thousand million."),
            field="amount_micro",
        )
    _must_be_words(words, is_needed=False)


def _must_be_words(words: str, *, is_needed: bool) -> None:
    if (is_needed and not words.strip()) or len(words) > LONGEST_WORDS or not is_readable(words):
        raise InvalidOrder(
            "words_invalid",
            _("Say what it is for in one line of at most %(most)s characters.")
            % {"most": LONGEST_WORDS},
            field="words",
        )


def _must_be_reversible(undone: LedgerTransaction) -> None:
    if undone.kind != TransactionKind.FUNDING:
        raise NotReversible(
            _("Only money that was set aside can be taken back here, not what was earned or paid.")
        )
    _must_stand(undone)


def _must_stand(undone: LedgerTransaction) -> None:
    if LedgerTransaction.objects.filter(reverses=undone).exists():
        raise AlreadyReversed(_("This was reversed already."))
