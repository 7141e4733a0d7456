"""Cases, credit lines, contributions and payouts move as their tables say, for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise, product
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import Model

from accounts.programmes.models import Role
from core.ids import new_id, shown
from core.states import UnknownMove, advance, moves_from
from review.contributions import rules as contributions
from review.contributions.models import Contribution
from review.credits import rules as credit_lines
from review.credits.commands import name_person
from review.credits.models import CreditLine
from review.ledger.commands import record_funding
from review.ledger.models import LedgerTransaction
from review.payouts import rules as payouts
from review.payouts.models import Payout, PayoutApproval
from review.submissions import rules as cases
from review.submissions.models import Case
from stage.builders import a_clip
from stage.cast import Member, a_member
from stage.review import a_submission, open_review

transactional = pytest.mark.django_db(transaction=True)
EURO = 1_000_000
Columns = dict[str, str]


@dataclass(frozen=True)
class Mover:
    """``asked``: what the constraints on one row ask of it in this state, beside the state."""

    model: type[Model]
    rules: Any
    trigger: str
    law: str
    makes: Callable[[Member], None]
    cleared: Columns
    asked: dict[str, Columns]
    may_stay: bool = True

    @property
    def pairs(self) -> set[tuple[Enum, Enum]]:
        return {(before, after) for (before, _), after in self.rules.MOVES.items()}

    @property
    def other_pairs(self) -> list[tuple[Enum, Enum]]:
        every = product(self.rules.State, self.rules.State)
        return [
            pair
            for pair in every
            if pair not in self.pairs and not (self.may_stay and pair[0] == pair[1])
        ]

    def way_to(self, state: Enum) -> list[Enum]:
        """A shortest way there from the state in which it begins, which is the first."""
        ways: list[list[Enum]] = [[next(iter(self.rules.State))]]
        while ways[0][-1] != state:
            here = ways.pop(0)
            ways += [[*here, after] for before, after in self.pairs if before == here[-1]]
        return ways[0]


def party_with(role: str) -> str:
    return (
        "(SELECT m.party_id FROM accounts_membership m JOIN accounts_rolegrant g"
        f" ON g.membership_id = m.id WHERE g.role = '{role}')"
    )


def a_case(tester: Member) -> None:
    open_review(tester.programme)
    a_member(tester.programme, Role.REVIEWER, name="reviewer")
    a_submission(tester)


def a_credit_line(tester: Member) -> None:
    other = a_member(tester.programme, Role.TESTER, name="second tester")
    name_person(
        actor=tester.actor,
        clip_id=shown("clip", a_clip(tester).id),
        party=shown("party", other.party_id),
        role="style",
    )


def a_contribution(tester: Member) -> None:
    a_member(tester.programme, Role.REVIEWER, name="reviewer")
    Contribution.objects.create(
        programme=tester.programme,
        party_id=tester.party_id,
        kind="feedback",
        title="A thought",
        words="About the composer.",
    )


def an_approved_payout(tester: Member) -> None:
    """Proposed, with the approval that its further moves ask for, and a posting to name."""
    studio, payout_id = tester.programme, new_id()
    finance = a_member(studio, Role.FINANCE, name="finance")
    manager = a_member(studio, Role.MANAGER, name="manager")
    told = payouts.instruction_sha256(payout_id, tester.party_id, EURO, "EUR")
    payout = Payout.objects.create(
        id=payout_id,
        programme=studio,
        party_id=tester.party_id,
        amount_micro=EURO,
        currency="EUR",
        instruction_sha256=told,
        made_by_id=finance.party_id,
    )
    PayoutApproval.objects.create(
        payout=payout,
        party_id=tester.party_id,
        made_by_id=finance.party_id,
        approver_id=manager.party_id,
        instruction_sha256=told,
    )
    record_funding(actor=finance.actor, amount_micro=EURO)
    assert LedgerTransaction.objects.count() == 1


CLOSED = {"closed_at": "core_now()"}
TRIAGED = {"triaged_by_id": party_with("reviewer"), "triaged_at": "core_now()"}
ANSWERED = {"answered_at": "core_now()"}
MOVERS = {
    "case": Mover(
        model=Case,
        rules=cases,
        trigger="review_case_law",
        law="case_moves",
        makes=a_case,
        cleared={
            "lease_by_id": "NULL",
            "lease_until": "NULL",
            "lease_slot": "NULL",
            "closed_at": "NULL",
        },
        asked={
            "claimed": {
                "lease_by_id": party_with("reviewer"),
                "lease_until": "core_now()",
                "lease_slot": "1",
                "lease_number": "lease_number + 1",
            },
            "approved": CLOSED,
            "declined": CLOSED,
            "changes_requested": CLOSED,
            "withdrawn": CLOSED,
        },
    ),
    "credit line": Mover(
        model=CreditLine,
        rules=credit_lines,
        trigger="review_credit_line_law",
        law="credit_line_moves",
        makes=a_credit_line,
        cleared={"answered_at": "NULL"},
        asked={"accepted": ANSWERED, "declined": ANSWERED},
    ),
    "contribution": Mover(
        model=Contribution,
        rules=contributions,
        trigger="review_contribution_law",
        law="contribution_moves",
        makes=a_contribution,
        cleared={
            "triaged_by_id": "NULL",
            "triaged_at": "NULL",
            "decline_reason": "''",
            "answer": "''",
        },
        asked={
            "accepted": TRIAGED,
            "declined": {
                **TRIAGED,
                "decline_reason": "'duplicate'",
                "answer": "'This was reported in the first week.'",
            },
        },
        may_stay=False,
    ),
    "payout": Mover(
        model=Payout,
        rules=payouts,
        trigger="review_payout_law",
        law="payout_moves",
        makes=an_approved_payout,
        cleared={
            "paid_by_id": "NULL",
            "ended_at": "NULL",
            "reference": "''",
            "transaction_id": "NULL",
        },
        asked={
            "paid": {
                "paid_by_id": party_with("finance"),
                "ended_at": "core_now()",
                "reference": "'SEPA 1'",
                "transaction_id": "(SELECT id FROM review_ledgertransaction)",
            },
            "cancelled": {"ended_at": "core_now()"},
        },
        may_stay=False,
    ),
}

every_mover = pytest.mark.parametrize("mover", MOVERS.values(), ids=MOVERS)


def put(via: psycopg.Connection[Any], mover: Mover, state: Enum) -> None:
    """Move the only row there is, past all Python, every column but perhaps the state correct."""
    columns = {"state": f"'{state.value}'", **mover.cleared, **mover.asked.get(state.value, {})}
    written = ", ".join(f"{name} = {value}" for name, value in columns.items())
    done = via.execute(f"UPDATE {mover.model._meta.db_table} SET {written}")
    assert done.rowcount == 1


def attempt(via: psycopg.Connection[Any], mover: Mover, before: Enum, after: Enum) -> None:
    """Bring the row to ``before``, then try ``after``; nothing of it stays."""
    with via.transaction(force_rollback=True):
        for _here, there in pairwise([*mover.way_to(before), after]):
            put(via, mover, there)


@every_mover
def test_python_refuses_every_move_outside_the_table(mover, db):
    outside = [
        pair
        for pair in product(mover.rules.State, mover.rules.Move)
        if pair not in mover.rules.MOVES
    ]
    assert outside
    for state, move in outside:
        with pytest.raises(UnknownMove):
            advance(mover.model._default_manager.all(), mover.rules.MOVES, move, seen=state)


@transactional
@every_mover
def test_the_database_refuses_every_move_outside_the_table(mover, tester, as_application, as_owner):
    mover.makes(tester)
    for via, (before, after) in product([as_application, as_owner], mover.other_pairs):
        with pytest.raises(psycopg.errors.RestrictViolation) as refused:
            attempt(via, mover, before, after)
        assert refused.value.diag.constraint_name == mover.law, (before, after)


@transactional
@every_mover
def test_the_database_allows_every_move_of_the_table(mover, tester, as_application):
    mover.makes(tester)
    for before, after in sorted(mover.pairs):
        attempt(as_application, mover, before, after)


@every_mover
def test_the_trigger_lists_exactly_the_moves_of_the_table(mover, db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [mover.trigger])
        (source,) = cursor.fetchone()
    table = source.partition("(OLD.state, NEW.state) IN (")[2].partition("THEN")[0]
    listed = re.findall(r"\('(\w+)', '(\w+)'\)", table)
    state = mover.rules.State
    assert {(state(before), state(after)) for before, after in listed} == mover.pairs
    assert len(listed) == len(mover.pairs)


def test_a_closed_case_stays_closed_and_an_open_one_can_be_closed():
    assert all(moves_from(cases.MOVES, state) == [] for state in cases.CLOSED)
    assert set(cases.OPEN) | set(cases.CLOSED) == set(cases.State)
    for state in cases.OPEN:
        assert any(
            cases.MOVES[state, move] in cases.CLOSED for move in moves_from(cases.MOVES, state)
        )


def test_money_that_left_and_answers_that_were_given_stay():
    for rules, ends in (
        (payouts, ("paid", "cancelled")),
        (contributions, ("accepted", "declined")),
    ):
        assert [s.value for s in rules.State if not moves_from(rules.MOVES, s)] == list(ends)


def test_whoever_is_credited_may_change_their_mind_for_ever():
    for state in credit_lines.State:
        assert moves_from(credit_lines.MOVES, state) != []
