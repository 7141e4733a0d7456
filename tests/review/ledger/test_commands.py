"""Posting: once, whole, within its bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.programmes.models import Role
from accounts.quotas.commands import Hold, grant_budget, reserve
from accounts.quotas.models import Budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.rates.rules import ActKind
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, AgreementMissing, InvalidOrder, KeyReused, WrongScope
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import new_id, shown
from core.money import MICRO, Money
from core.outbox.models import OutboxMessage
from review.ledger.commands import (
    AlreadyReversed,
    MoreThanOwed,
    NotReversible,
    Posting,
    TreasuryTooLow,
    post,
    record_act,
    record_funding,
    record_funding_at_the_machine,
    reverse_transaction,
)
from review.ledger.models import Act, LedgerBalance, LedgerEntry, LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to, treasury_of
from review.ledger.rules import TransactionKind, funding_lines, payout_lines
from review.payouts.commands import pay_payout
from stage.cast import a_member
from stage.money import a_funding, a_payout, a_rate, an_earning

pytestmark = pytest.mark.django_db


def balances(programme: Any) -> dict[str, int]:
    rows = LedgerBalance.objects.filter(account__programme=programme)
    return dict(rows.values_list("kind", "balance_micro"))


def money_budget(programme: Any) -> Budget:
    return Budget.objects.get(programme=programme, kind=BudgetKind.MONEY, party=None)


def a_posting(programme: Any, amount: int = 5 * MICRO, **more: Any) -> Posting:
    usual: dict[str, Any] = {
        "programme_id": programme.id,
        "currency": "EUR",
        "key": "funding:once",
        "kind": TransactionKind.FUNDING,
        "lines": funding_lines(amount),
    }
    return Posting(**(usual | more))


def reverse(member: Any, transaction: LedgerTransaction, words: str = "Wrong programme") -> Any:
    return reverse_transaction(
        actor=member.actor, transaction_id=shown("transaction", transaction.id), words=words
    )


def test_a_funding_fills_the_treasury_and_the_money_budget_by_the_same_amount(finance):
    funding = a_funding(finance, 40 * MICRO)
    assert balances(finance.programme) == {"treasury": 40 * MICRO, "funder": -40 * MICRO}
    assert money_budget(finance.programme).limit == 40 * MICRO
    assert funding.made_by_id == finance.party_id
    assert ledger_discrepancies() == []


def test_a_second_funding_adds_to_the_first(finance):
    a_funding(finance, 40 * MICRO)
    a_funding(finance, 2 * MICRO)
    assert money_budget(finance.programme).limit == 42 * MICRO
    assert treasury_of(finance.programme.id) == Money(42 * MICRO, "EUR")


def test_a_funding_is_told_once_in_the_audit_and_once_in_the_outbox(finance):
    funding = a_funding(finance)
    (line,) = AuditEvent.objects.filter(kind="funding.recorded")
    assert (line.subject_id, line.actor_party_id) == (funding.id, finance.party_id)
    assert OutboxMessage.objects.filter(kind="funding.recorded").count() == 1


def test_the_same_form_sent_twice_funds_once(finance):
    once = Once.of(scope="funding", key="k", payload=1)
    facts = {"amount_micro": MICRO, "once": once, "answer": lambda made: (201, str(made.id))}
    first = record_funding(actor=finance.actor, **facts)
    with pytest.raises(AlreadyAnswered) as again:
        record_funding(actor=finance.actor, **facts)
    assert again.value.body == str(first.id)
    assert money_budget(finance.programme).limit == MICRO


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount_micro": 0}, "amount_out_of_range"),
        ({"amount_micro": -MICRO}, "amount_out_of_range"),
        ({"amount_micro": 10**15 + 10_000}, "amount_out_of_range"),
        ({"amount_micro": 9_999}, "amount_too_fine"),
        ({"amount_micro": MICRO, "words": "two\nlines"}, "words_invalid"),
        ({"amount_micro": MICRO, "words": "x" * 201}, "words_invalid"),
    ],
)
def test_an_amount_that_cannot_be_is_refused_and_nothing_is_posted(finance, wish, code):
    with pytest.raises(InvalidOrder) as refused:
        record_funding(actor=finance.actor, **wish)
    assert refused.value.code == code
    assert not LedgerTransaction.objects.exists()
    assert not Budget.objects.filter(kind=BudgetKind.MONEY).exists()


def test_only_finance_funds_and_only_with_the_scope(finance, manager, tester):
    for member in (manager, tester):
        with pytest.raises(Absent):
            record_funding(actor=member.actor, amount_micro=MICRO)
    with pytest.raises(WrongScope):
        record_funding(actor=finance.token_actor("ledger:read"), amount_micro=MICRO)
    assert not LedgerTransaction.objects.exists()


def test_the_operator_funds_in_nobodys_name(programme):
    funding = record_funding_at_the_machine(programme_id=programme.id, amount_micro=MICRO)
    assert funding.made_by is None
    assert money_budget(programme).limit == MICRO


def test_an_act_is_owed_to_whoever_did_it(tester, reviewer):
    a_rate(tester.programme.id, 25 * MICRO)
    contribution = an_earning(tester, reviewer)
    act = Act.objects.get()
    assert (act.subject_id, act.party_id, act.amount_micro) == (
        contribution.id,
        tester.party_id,
        25 * MICRO,
    )
    assert balances(tester.programme) == {"fees": 25 * MICRO, "owed": -25 * MICRO}
    assert owed_to(tester.party_id, tester.programme.id).left == Money(25 * MICRO, "EUR")
    assert ledger_discrepancies() == []


def test_the_same_act_again_gives_back_the_first_and_posts_nothing(tester, reviewer):
    a_rate(tester.programme.id)
    contribution = an_earning(tester, reviewer)
    first = Act.objects.get()
    again = record_act(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        kind=ActKind.BUG_REPORT,
        subject_id=contribution.id,
        rate=contribution.rate,
        occurred_at=contribution.filed_at,
    )
    assert again == first
    assert LedgerTransaction.objects.count() == 1
    assert AuditEvent.objects.filter(kind="act.recorded").count() == 1


def test_the_same_act_at_another_moment_is_noticed(tester, reviewer, clock):
    clock.stop()
    assert tester.actor.is_portal
    a_rate(tester.programme.id)
    clock.advance(hours=1)
    contribution = an_earning(tester, reviewer)
    with pytest.raises(KeyReused):
        record_act(
            programme_id=tester.programme.id,
            party_id=tester.party_id,
            kind=ActKind.BUG_REPORT,
            subject_id=contribution.id,
            rate=contribution.rate,
            occurred_at=contribution.filed_at - timedelta(minutes=1),
        )


def test_a_rate_of_zero_records_no_act(tester, reviewer):
    rate = a_rate(tester.programme.id, 0)
    paid = record_act(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        kind=ActKind.BUG_REPORT,
        subject_id=new_id(),
        rate=rate,
        occurred_at=now(),
    )
    assert paid is None
    assert not LedgerTransaction.objects.exists()


def test_whoever_accepted_no_agreement_earns_nothing_yet(tester, programme):
    newcomer = a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)
    with pytest.raises(AgreementMissing):
        record_act(
            programme_id=programme.id,
            party_id=newcomer.party_id,
            kind=ActKind.BUG_REPORT,
            subject_id=new_id(),
            rate=a_rate(programme.id),
            occurred_at=now(),
        )


def test_a_key_that_comes_again_gives_back_its_transaction(programme):
    first, again = post(a_posting(programme)), post(a_posting(programme))
    assert first.id == again.id
    assert LedgerEntry.objects.count() == 2


@pytest.mark.parametrize(
    "other", [{"amount": 6 * MICRO}, {"about": "something else"}, {"currency": "USD"}]
)
def test_a_key_that_comes_with_something_else_is_refused(programme, other):
    post(a_posting(programme))
    with pytest.raises(KeyReused):
        post(a_posting(programme, **other))
    assert LedgerEntry.objects.count() == 2


def test_the_same_key_in_another_programme_is_another_key(programme, other_programme):
    assert post(a_posting(programme)).id != post(a_posting(other_programme)).id


def test_nothing_leaves_a_treasury_that_is_too_low(tester, reviewer, finance):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance, 10 * MICRO)
    with pytest.raises(TreasuryTooLow) as refused:
        post(
            a_posting(
                tester.programme,
                key="payout:x",
                kind=TransactionKind.PAYOUT,
                lines=payout_lines(tester.party_id, 25 * MICRO),
            )
        )
    assert refused.value.facts["there_micro"] == 10 * MICRO
    assert refused.value.http_status == 429
    assert "10.00" in refused.value.sentence


def test_nobody_is_paid_more_than_is_owed(tester, reviewer, finance):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    with pytest.raises(MoreThanOwed) as refused:
        post(
            a_posting(
                tester.programme,
                key="payout:x",
                kind=TransactionKind.PAYOUT,
                lines=payout_lines(tester.party_id, 25 * MICRO + 1),
            )
        )
    assert refused.value.facts["owed_micro"] == 25 * MICRO


def test_a_reversal_is_the_mirror_and_takes_the_budget_back(finance):
    funding = a_funding(finance, 40 * MICRO)
    reversal = reverse(finance, funding)
    assert reversal.reverses_id == funding.id
    assert balances(finance.programme) == {"treasury": 0, "funder": 0}
    assert money_budget(finance.programme).limit == 0
    assert AuditEvent.objects.filter(kind="funding.reversed").count() == 1
    assert ledger_discrepancies() == []


def test_what_was_reversed_is_not_reversed_again(finance):
    funding = a_funding(finance)
    a_funding(finance)
    reversal = reverse(finance, funding)
    with pytest.raises(AlreadyReversed):
        reverse(finance, funding)
    with pytest.raises(NotReversible):
        reverse(finance, reversal)
    assert money_budget(finance.programme).limit == 1_000 * MICRO


def test_acts_and_payouts_are_not_reversed_by_hand(tester, reviewer, finance, manager):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    pay_payout(actor=finance.actor, payout_id=shown("payout", payout.id), reference="SEPA 1")
    for kind in (TransactionKind.ACT, TransactionKind.PAYOUT):
        with pytest.raises(NotReversible) as refused:
            reverse(finance, LedgerTransaction.objects.get(kind=kind))
        assert refused.value.code == "only_fundings_are_reversed"


def test_a_funding_whose_budget_is_in_use_is_not_taken_back(tester, finance):
    funding = a_funding(finance, 40 * MICRO)
    grant_budget(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        kind=BudgetKind.MONEY,
        limit=40 * MICRO,
    )
    reserve(
        work_id=new_id(),
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        lineage_id=new_id(),
        holds=[Hold(new_id(), BudgetKind.MONEY, MICRO)],
    )
    with pytest.raises(InvalidOrder) as refused:
        reverse(finance, funding)
    assert (refused.value.code, refused.value.facts["used"]) == ("limit_below_use", MICRO)
    assert treasury_of(tester.programme.id).amount_micro == 40 * MICRO


def test_a_funding_that_was_paid_out_is_not_taken_back(tester, reviewer, finance, manager):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    funding = a_funding(finance, 30 * MICRO)
    payout = a_payout(tester, finance, manager)
    pay_payout(actor=finance.actor, payout_id=shown("payout", payout.id), reference="SEPA 1")
    with pytest.raises(TreasuryTooLow) as refused:
        reverse(finance, funding)
    assert refused.value.facts["there_micro"] == 5 * MICRO
    assert money_budget(finance.programme).limit == 30 * MICRO
    assert ledger_discrepancies() == []


def test_a_reversal_says_why(finance):
    funding = a_funding(finance)
    with pytest.raises(InvalidOrder) as refused:
        reverse(finance, funding, words=" ")
    assert refused.value.code == "words_invalid"


def test_a_reversal_needs_finance_and_its_scope_and_nothing_more(finance, manager, stranger):
    funding = a_funding(finance)
    with pytest.raises(Absent):
        reverse(manager, funding)
    with pytest.raises(Absent):
        reverse(stranger, funding)
    program = finance.token_actor("ledger:fund")
    shown_id = shown("transaction", funding.id)
    assert reverse_transaction(actor=program, transaction_id=shown_id, words="Twice").reverses_id


def test_a_transaction_of_another_programme_is_absent(finance, other_programme):
    theirs = record_funding_at_the_machine(programme_id=other_programme.id, amount_micro=MICRO)
    with pytest.raises(Absent):
        reverse(finance, theirs)
    with pytest.raises(Absent):
        reverse_transaction(actor=finance.actor, transaction_id="txn_nothing", words="No")
