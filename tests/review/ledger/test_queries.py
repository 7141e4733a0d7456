"""Statements, balances and the proof; and that none of it costs more for many rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.quotas.commands import raise_budget
from accounts.quotas.models import Kind as BudgetKind
from core.errors import Absent, WrongScope
from core.ids import shown
from core.money import MICRO
from review.ledger.commands import record_funding_at_the_machine
from review.ledger.queries import (
    balances_of,
    ledger_discrepancies,
    owed_after,
    owed_balances,
    owed_to,
    party_for,
    statement_of,
    transactions_of,
    trial_balance,
)
from stage.cast import Member
from stage.money import a_crowd, a_funding, a_rate, an_earning, earnings_at_once

pytestmark = pytest.mark.django_db


def queries_of(client: Any, url: str) -> int:
    client.get(url)  # the first visit warms what is kept between requests
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


@pytest.fixture
def many(programme: Any, reviewer: Member) -> Any:
    """Makes so many earnings of one party, or one each of so many parties."""
    rate = a_rate(programme.id, 1_234_567)

    def make(how_many: int, party_id: Any = None) -> None:
        whose = [party_id] * how_many if party_id else a_crowd(programme, how_many)
        earnings_at_once(rate, reviewer, whose)

    return make


def test_a_statement_of_a_thousand_lines_costs_the_queries_of_ten(many, tester, finance):
    party = shown("party", tester.party_id)
    urls = ["/earnings", f"/finance/parties/{party}"]
    many(10, tester.party_id)
    asked = [queries_of(who.client, url) for who, url in zip([tester, finance], urls, strict=True)]
    many(990, tester.party_id)
    again = [queries_of(who.client, url) for who, url in zip([tester, finance], urls, strict=True)]
    assert again == asked
    assert max(asked) < 20
    assert owed_to(tester.party_id, tester.programme.id).left.amount_micro == 1_000 * 1_234_567
    assert ledger_discrepancies() == []


def test_finances_room_costs_the_same_for_a_thousand_parties_as_for_ten(many, finance):
    many(10)
    asked = queries_of(finance.client, "/finance")
    many(990)
    assert queries_of(finance.client, "/finance") == asked < 20
    assert ledger_discrepancies() == []


def test_the_api_costs_the_same_for_many(many, tester, finance):
    party = shown("party", tester.party_id)
    addresses = [
        (tester, "earnings"),
        (tester, "earnings/lines?limit=100"),
        (finance, "ledger/balances?limit=100"),
        (finance, "ledger/transactions?limit=100"),
        (finance, f"ledger/parties/{party}/lines?limit=100"),
    ]
    many(3, tester.party_id)
    many(3)
    asked = [queries_of(who.api, f"/api/v1/{address}") for who, address in addresses]
    many(100, tester.party_id)
    many(100)
    again = [queries_of(who.api, f"/api/v1/{address}") for who, address in addresses]
    assert again == asked


def test_the_proof_is_one_query_however_many_rows(many, tester, django_assert_num_queries):
    many(50, tester.party_id)
    many(50)
    with django_assert_num_queries(1):
        assert ledger_discrepancies() == []


def test_the_running_balance_is_the_sum_of_all_lines_up_to_it(many, tester):
    many(60, tester.party_id)
    lines = list(statement_of(tester.party_id, tester.programme.id))
    assert [owed_after(line) for line in lines] == [n * 1_234_567 for n in range(60, 0, -1)]


def test_a_statement_holds_nobody_elses_lines_and_no_other_programmes(
    tester, second_tester, reviewer, other_programme
):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    an_earning(second_tester, reviewer)
    (line,) = statement_of(tester.party_id, tester.programme.id)
    assert line.account.party_id == tester.party_id
    assert not statement_of(tester.party_id, other_programme.id).exists()


def test_the_trial_balance_adds_up(tester, reviewer, finance):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance, 40 * MICRO)
    lines = trial_balance(tester.programme.id)
    assert sum(line.debit.amount_micro for line in lines) == 65 * MICRO
    assert sum(line.credit.amount_micro for line in lines) == 65 * MICRO
    assert sum(line.balance.amount_micro for line in lines) == 0


def test_an_empty_ledger_has_a_trial_balance_of_nothing(programme):
    assert {line.balance.amount_micro for line in trial_balance(programme.id)} == {0}


def test_the_most_owed_stand_first(tester, second_tester, reviewer, finance):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    for _number in range(2):
        an_earning(second_tester, reviewer)
    parties = [row.account.party_id for row in owed_balances(finance.actor)]
    assert parties == [second_tester.party_id, tester.party_id]


def test_who_may_not_read_the_ledger_reads_nothing_of_it(tester, finance):
    for query in (balances_of, owed_balances, transactions_of):
        with pytest.raises(Absent):
            query(tester.actor)
        with pytest.raises(WrongScope):
            query(finance.token_actor("ledger:fund"))


def test_a_party_is_found_by_those_who_keep_the_ledger_of_its_programme(
    tester, finance, auditor, stranger
):
    public = shown("party", tester.party_id)
    assert party_for(finance.actor, public).id == party_for(auditor.actor, public).id
    with pytest.raises(Absent):
        party_for(finance.actor, shown("party", stranger.party_id))
    with pytest.raises(Absent):
        party_for(tester.actor, public)


def test_a_money_budget_that_nobody_funded_is_found(programme):
    record_funding_at_the_machine(programme_id=programme.id, amount_micro=5 * MICRO)
    assert ledger_discrepancies() == []
    raise_budget(programme_id=programme.id, kind=BudgetKind.MONEY, by=2 * MICRO)
    (found,) = ledger_discrepancies()
    assert (found.what, found.thing, found.id) == (
        "the money budget is what was set aside",
        "programme",
        programme.id,
    )
    assert (found.expected_micro, found.found_micro) == (5 * MICRO, 7 * MICRO)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("damage", "what", "figures"),
    [
        (
            "UPDATE review_ledgerbalance SET balance_micro = 5000001 WHERE kind = 'treasury'",
            {"a balance is the sum of its lines"},
            {(5 * MICRO, 5 * MICRO + 1)},
        ),
        (
            "UPDATE review_ledgerentry SET amount_micro = -24999999 WHERE amount_micro = -25000000",
            {"a balance is the sum of its lines", "an act is posted in full", "lines sum to zero"},
            {(-25 * MICRO + 1, -25 * MICRO), (25 * MICRO, 25 * MICRO - 1), (0, 1)},
        ),
        (
            "DELETE FROM review_ledgerentry WHERE amount_micro IN (5000000, -5000000)",
            {
                "a balance is the sum of its lines",
                "lines sum to zero",
                "the money budget is what was set aside",
            },
            {(0, 5 * MICRO), (0, -5 * MICRO), (0, 0)},
        ),
    ],
)
def test_what_no_rule_let_through_is_found_by_the_proof(
    tester, reviewer, database, damage, what, figures
):
    """Damage as only somebody can do it who lifts the triggers."""
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    record_funding_at_the_machine(programme_id=tester.programme.id, amount_micro=5 * MICRO)
    assert ledger_discrepancies() == []
    with database.superuser.transaction():
        database.superuser.execute("SET LOCAL session_replication_role = replica")
        database.superuser.execute(damage)
    found = ledger_discrepancies()
    assert {each.what for each in found} == what
    assert {(each.expected_micro, each.found_micro) for each in found} == figures
