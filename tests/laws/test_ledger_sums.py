"""Debits equal credits, and every balance is the sum of its lines, in whatever order of deeds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.programmes.models import Role
from accounts.quotas.models import Budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.rates.rules import ActKind
from core.errors import Refusal
from core.ids import new_id, shown
from core.money import MICRO, Money, whole_units
from review.ledger.commands import (
    AlreadyReversed,
    NotReversible,
    TreasuryTooLow,
    record_funding,
    reverse_transaction,
)
from review.ledger.models import LedgerBalance, LedgerEntry, LedgerTransaction
from review.ledger.queries import (
    ledger_discrepancies,
    owed_after,
    owed_to,
    statement_of,
    trial_balance,
)
from review.ledger.rules import AccountKind, TransactionKind
from review.payouts.commands import (
    PayoutOpen,
    approve_payout,
    cancel_payout,
    pay_payout,
    propose_payout,
)
from review.payouts.models import Payout
from review.payouts.rules import State
from stage.builders import a_programme
from stage.cast import a_member
from stage.money import a_rate, an_earning

TESTERS = 2
# Rates below a cent and beside one, so that payouts leave something over.
RATES = {
    ActKind.BUG_REPORT: 25 * MICRO,
    ActKind.FEEDBACK: 3_700,
    ActKind.RED_TEAM_FINDING: 7_777_777,
}
CENT = 10_000


class Ledger(RuleBasedStateMachine):
    """One programme with two testers; ``owed`` and ``treasury`` are kept by the simplest code."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.savepoint()
        programme = a_programme(f"p-{new_id()}")
        self.programme = programme
        self.testers = [a_member(programme, Role.TESTER, name=f"t{n}") for n in range(TESTERS)]
        self.reviewer = a_member(programme, Role.REVIEWER, name="reviewer")
        self.finance = a_member(programme, Role.FINANCE, name="finance")
        self.manager = a_member(programme, Role.MANAGER, name="manager")
        for kind, amount in RATES.items():
            a_rate(programme.id, amount, kind)
        self.owed = [0] * TESTERS
        self.paid = [0] * TESTERS
        self.treasury = 0
        self.funded = 0
        self.lines_asked = -1

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.undo)

    @rule(who=some.integers(0, TESTERS - 1), kind=some.sampled_from(list(RATES)))
    def act(self, who: int, kind: ActKind) -> None:
        an_earning(self.testers[who], self.reviewer, kind=kind.value)
        self.owed[who] += RATES[kind]

    @rule(cents=some.integers(1, 6_000))
    def fund(self, cents: int) -> None:
        record_funding(actor=self.finance.actor, amount_micro=cents * CENT)
        self.treasury += cents * CENT
        self.funded += cents * CENT

    @rule(who=some.integers(0, TESTERS - 1))
    def propose(self, who: int) -> None:
        payable = whole_units(Money(self.owed[who], "EUR")).amount_micro
        is_open = self._open(who) is not None
        try:
            payout = propose_payout(actor=self.finance.actor, party_id=self.testers[who].party_id)
        except Refusal as refused:
            assert is_open == isinstance(refused, PayoutOpen)  # noqa: PT017
            assert is_open or payable == 0
            return
        assert payout.amount_micro == payable > 0

    @rule(who=some.integers(0, TESTERS - 1))
    def approve_and_pay(self, who: int) -> None:
        payout = self._open(who)
        if payout is None:
            return
        self._approve(payout)
        try:
            pay_payout(
                actor=self.finance.actor, payout_id=shown("payout", payout.id), reference="SEPA"
            )
        except TreasuryTooLow as refused:
            assert payout.amount_micro > self.treasury == refused.facts["there_micro"]  # noqa: PT017
            return
        self.treasury -= payout.amount_micro
        self.owed[who] -= payout.amount_micro
        self.paid[who] += payout.amount_micro

    @rule(who=some.integers(0, TESTERS - 1))
    def cancel(self, who: int) -> None:
        payout = self._open(who)
        if payout is not None:
            cancel_payout(actor=self.finance.actor, payout_id=shown("payout", payout.id))

    @precondition(lambda self: LedgerTransaction.objects.filter(programme=self.programme).exists())
    @rule(pick=some.integers(0))
    def reverse(self, pick: int) -> None:
        every = LedgerTransaction.objects.filter(programme=self.programme).order_by("id")
        undone = every[pick % len(every)]
        is_funding = undone.kind == TransactionKind.FUNDING
        was_reversed = every.filter(reverses=undone).exists()
        amount = max(undone.entries.values_list("amount_micro", flat=True))
        try:
            reverse_transaction(
                actor=self.finance.actor,
                transaction_id=shown("transaction", undone.id),
                words="By chance",
            )
        except NotReversible:
            assert not is_funding
        except AlreadyReversed:
            assert was_reversed
        except TreasuryTooLow:
            assert amount > self.treasury
        else:
            assert is_funding
            assert not was_reversed
            self.treasury -= amount
            self.funded -= amount

    @rule(who=some.integers(0, TESTERS - 1))
    def try_what_is_refused(self, who: int) -> None:
        """Nothing of it leaves a trace: paying what nobody approved, one's own money."""
        payout = self._open(who)
        deeds: list[Any] = [
            lambda: record_funding(actor=self.finance.actor, amount_micro=CENT - 1),
            lambda: propose_payout(actor=self.finance.actor, party_id=self.finance.party_id),
        ]
        if payout is not None and payout.state == State.PROPOSED:
            public = shown("payout", payout.id)
            deeds.append(
                lambda: pay_payout(actor=self.finance.actor, payout_id=public, reference="SEPA")
            )
        for deed in deeds:
            with pytest.raises(Refusal):
                deed()

    @invariant()
    def every_transaction_sums_to_zero(self) -> None:
        sums: dict[Any, int] = defaultdict(int)
        for entry in self._entries():
            sums[entry.transaction_id, entry.currency] += entry.amount_micro
        assert set(sums.values()) <= {0}

    @invariant()
    def every_balance_is_the_sum_of_its_lines_and_within_its_bounds(self) -> None:
        sums: dict[Any, int] = defaultdict(int)
        for entry in self._entries():
            sums[entry.account_id] += entry.amount_micro
        balances = LedgerBalance.objects.filter(account__programme=self.programme)
        for balance in balances:
            assert balance.balance_micro == sums[balance.account_id]
            assert balance.kind != AccountKind.TREASURY or balance.balance_micro >= 0
            assert balance.kind != AccountKind.OWED or balance.balance_micro <= 0
        assert sum(balance.balance_micro for balance in balances) == 0

    @invariant()
    def the_books_say_what_they_should(self) -> None:
        found = {line.kind: line.balance.amount_micro for line in trial_balance(self.programme.id)}
        assert found == {
            AccountKind.FUNDER: -self.funded,
            AccountKind.TREASURY: self.treasury,
            AccountKind.FEES: sum(self.owed) + sum(self.paid),
            AccountKind.OWED: -sum(self.owed),
        }
        budget = Budget.objects.filter(
            programme=self.programme, kind=BudgetKind.MONEY, party=None
        ).first()
        assert (budget.limit if budget else 0) == self.funded
        assert ledger_discrepancies() == []

    @invariant()
    def a_statement_is_the_ledger_line_by_line(self) -> None:
        """Asked anew only when there are other lines than last time: nothing else is in it."""
        lines_now = self._entries().count()
        if lines_now == self.lines_asked:
            return
        self.lines_asked = lines_now
        for who, tester in enumerate(self.testers):
            lines = list(statement_of(tester.party_id, self.programme.id))
            sums = owed_to(tester.party_id, self.programme.id)
            assert sums.left.amount_micro == self.owed[who]
            assert sums.paid.amount_micro == self.paid[who]
            assert -sum(line.amount_micro for line in lines) == self.owed[who]
            running = 0
            for line in reversed(lines):
                running -= line.amount_micro
                assert owed_after(line) == running >= 0

    @invariant()
    def what_the_database_asks_at_commit_holds_now(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def _entries(self) -> Any:
        return LedgerEntry.objects.filter(programme=self.programme)

    def _open(self, who: int) -> Payout | None:
        return Payout.objects.filter(
            party=self.testers[who].party, state__in=[State.PROPOSED, State.APPROVED]
        ).first()

    def _approve(self, payout: Payout) -> None:
        if payout.state == State.PROPOSED:
            approve_payout(
                actor=self.manager.actor,
                payout_id=shown("payout", payout.id),
                instruction_sha256=payout.instruction_sha256,
            )


def test_the_books_balance_in_any_order_of_deeds(db):
    run_state_machine_as_test(Ledger, settings=settings(max_examples=12, stateful_step_count=24))
