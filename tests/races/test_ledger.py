"""The same money, moved by many at once."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.programmes.models import Role
from accounts.rates import commands as rates
from accounts.rates.commands import publish_rate
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from core.clock import now
from core.errors import TooLate
from core.ids import new_id, shown
from core.money import MICRO
from review.contributions import commands as contributions
from review.contributions.commands import triage_contribution
from review.contributions.models import Contribution
from review.ledger import commands as ledger
from review.ledger.commands import (
    AlreadyReversed,
    Posting,
    TreasuryTooLow,
    post,
    record_act,
    reverse_transaction,
)
from review.ledger.models import Act, LedgerEntry, LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to, treasury_of
from review.ledger.rules import TransactionKind, funding_lines, payout_lines
from review.payouts.commands import PayoutOpen, pay_payout, propose_payout
from review.payouts.models import Payout
from review.payouts.rules import State
from stage.cast import Member, a_member
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

POSTERS = 20
PAYERS = 16
DRAINERS = 20
FIT = 10  # so many payouts the treasury can bear


def a_posting(programme_id: Any, key: str) -> Posting:
    return Posting(
        programme_id=programme_id,
        currency="EUR",
        key=key,
        kind=TransactionKind.FUNDING,
        lines=funding_lines(MICRO),
    )


def posted(posting: Posting) -> Any:
    with transaction.atomic():
        return post(posting).id


def test_of_twenty_posters_with_one_key_one_posts_and_all_are_given_it(programme, at_once):
    answers = at_once(POSTERS, lambda _number: posted(a_posting(programme.id, "funding:one")))
    assert len(set(answers)) == 1
    assert LedgerTransaction.objects.get().id == answers[0]
    assert LedgerEntry.objects.count() == 2
    assert treasury_of(programme.id).amount_micro == MICRO


def test_control_without_one_key_each_of_twenty_posts(programme, at_once):
    at_once(POSTERS, lambda number: posted(a_posting(programme.id, f"funding:{number}")))
    assert LedgerTransaction.objects.count() == POSTERS
    assert treasury_of(programme.id).amount_micro == POSTERS * MICRO


def test_accounts_that_twenty_make_at_once_exist_once(programme, at_once):
    """First postings ever: everybody finds no account, and all their balances hold."""
    at_once(POSTERS, lambda number: posted(a_posting(programme.id, f"funding:{number}")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, count(*) FROM review_ledgeraccount GROUP BY kind ORDER BY 1")
        assert cursor.fetchall() == [("funder", 1), ("treasury", 1)]
    assert [each.what for each in ledger_discrepancies()] == [
        "the money budget is what was set aside"  # a bare posting raises none
    ]


def test_one_act_that_twenty_record_is_owed_once(tester, reviewer, at_once):
    a_rate(tester.programme.id)
    contribution = an_earning(tester, reviewer)

    def again(_number: int) -> Any:
        with transaction.atomic():
            return record_act(
                programme_id=tester.programme.id,
                party_id=tester.party_id,
                kind=ActKind.BUG_REPORT,
                subject_id=contribution.id,
                rate=contribution.rate,
                occurred_at=contribution.filed_at,
            )

    answers = at_once(POSTERS, again)
    assert {act.id for act in answers} == {Act.objects.get().id}
    assert owed_to(tester.party_id, tester.programme.id).left.amount_micro == 25 * MICRO
    assert ledger_discrepancies() == []


def test_one_contribution_that_many_accept_is_paid_once(tester, programme, at_once):
    a_rate(programme.id)
    staff = [a_member(programme, Role.REVIEWER, name=f"reviewer {n}").actor for n in range(PAYERS)]
    contribution = shown("contribution", a_contribution(tester).id)
    outcomes = at_once(
        PAYERS,
        lambda number: triage_contribution(
            actor=staff[number], contribution_id=contribution, accept=True
        ),
    )
    assert sum(isinstance(each, Contribution) for each in outcomes) == 1
    assert sum(isinstance(each, TooLate) for each in outcomes) == PAYERS - 1
    assert owed_to(tester.party_id, programme.id).left.amount_micro == 25 * MICRO


def test_of_sixteen_payers_of_one_payout_one_pays(tester, reviewer, finance, manager, at_once):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    an_earning(tester, reviewer)  # more is owed than is paid: nothing else stops a second payment
    payer, public = finance.actor, shown("payout", payout.id)
    outcomes = at_once(
        PAYERS,
        lambda number: pay_payout(actor=payer, payout_id=public, reference=f"SEPA {number}"),
    )
    assert sum(isinstance(each, Payout) for each in outcomes) == 1
    assert sum(isinstance(each, TooLate) for each in outcomes) == PAYERS - 1
    assert LedgerTransaction.objects.filter(kind="payout").count() == 1
    assert owed_to(tester.party_id, tester.programme.id).paid.amount_micro == 25 * MICRO
    assert Payout.objects.get().state == State.PAID
    assert ledger_discrepancies() == []


def test_control_payers_who_only_look_at_the_state_all_post(
    tester, reviewer, finance, manager, at_once
):
    """Each under a key of its own, each sure to be the only one: the law of the table alone then
    stands between them and paying sixteen times."""
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    for _number in range(PAYERS):
        an_earning(tester, reviewer)
    all_have_looked = threading.Barrier(PAYERS)

    def naive(_number: int) -> Any:
        with transaction.atomic():
            assert Payout.objects.get(id=payout.id).state == State.APPROVED
            all_have_looked.wait(60)
            row = post(
                Posting(
                    programme_id=payout.programme_id,
                    currency="EUR",
                    key=f"payout:{new_id()}",
                    kind=TransactionKind.PAYOUT,
                    lines=payout_lines(payout.party_id, payout.amount_micro),
                )
            )
            return Payout.objects.filter(id=payout.id).update(
                state=State.PAID,
                paid_by_id=finance.party_id,
                ended_at=now(),
                reference="SEPA",
                transaction=row,
            )

    outcomes = at_once(PAYERS, naive)
    assert outcomes.count(1) == 1
    stopped = [each for each in outcomes if isinstance(each, IntegrityError)]
    assert len(stopped) == PAYERS - 1
    assert all("no move from paid to paid" in str(each) for each in stopped)


def payouts_that_half_fit(programme: Any, finance: Member, manager: Member) -> list[str]:
    """Approved payouts of 1.00 to as many parties, and money for ten of them."""
    reviewer = a_member(programme, Role.REVIEWER, name="reviewer")
    a_rate(programme.id, MICRO)
    found = []
    for number in range(DRAINERS):
        tester = a_member(programme, Role.TESTER, name=f"tester {number}", credits=0)
        an_earning(tester, reviewer)
        found.append(shown("payout", a_payout(tester, finance, manager).id))
    a_funding(finance, FIT * MICRO)
    return found


def test_of_twenty_payouts_for_which_ten_have_money_exactly_ten_are_paid(
    programme, finance, manager, at_once
):
    payouts = payouts_that_half_fit(programme, finance, manager)
    payer = finance.actor
    outcomes = at_once(
        DRAINERS,
        lambda number: pay_payout(actor=payer, payout_id=payouts[number], reference="SEPA"),
    )
    assert sum(isinstance(each, Payout) for each in outcomes) == FIT
    refused = [each for each in outcomes if not isinstance(each, Payout)]
    assert all(isinstance(each, TreasuryTooLow) for each in refused), refused
    assert {each.facts["there_micro"] for each in refused} == {0}
    assert treasury_of(programme.id).amount_micro == 0
    assert Payout.objects.filter(state=State.PAID).count() == FIT
    assert ledger_discrepancies() == []


def test_control_who_reads_the_treasury_without_locking_it_lets_more_than_ten_through(
    programme, finance, manager, at_once, monkeypatch
):
    """Only the table's own bound then stands between them and an empty treasury."""
    payouts = payouts_that_half_fit(programme, finance, manager)
    payer = finance.actor
    all_have_read = threading.Barrier(DRAINERS)

    def only_read(accounts: Any) -> dict[Any, int]:
        ids = [account.id for account in accounts.values()]
        found = dict(
            ledger.LedgerBalance.objects.filter(account__in=ids).values_list(
                "account_id", "balance_micro"
            )
        )
        all_have_read.wait(60)
        return found

    monkeypatch.setattr(ledger, "_locked_balances", only_read)
    outcomes = at_once(
        DRAINERS,
        lambda number: pay_payout(actor=payer, payout_id=payouts[number], reference="SEPA"),
    )
    let_through = [each for each in outcomes if not isinstance(each, TreasuryTooLow)]
    assert len(let_through) == DRAINERS
    stopped = [each for each in let_through if isinstance(each, IntegrityError)]
    assert len(stopped) == DRAINERS - FIT
    assert all("balance_within_its_bounds" in str(each) for each in stopped)


def test_two_of_finance_who_reverse_one_funding_take_it_back_once(programme, finance, at_once):
    funding = shown("transaction", a_funding(finance, 40 * MICRO).id)
    a_funding(finance, 60 * MICRO)
    actor = finance.actor
    outcomes = at_once(
        8,
        lambda _number: reverse_transaction(actor=actor, transaction_id=funding, words="Twice"),
    )
    assert sum(isinstance(each, LedgerTransaction) for each in outcomes) == 1
    assert sum(isinstance(each, AlreadyReversed) for each in outcomes) == 7
    assert treasury_of(programme.id).amount_micro == 60 * MICRO
    assert ledger_discrepancies() == []


def test_a_payout_is_not_proposed_of_what_another_takes_at_this_moment(
    tester, reviewer, finance, manager, at_once, database, monkeypatch
):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    payer, proposer = finance.actor, a_member(tester.programme, Role.FINANCE, name="other").actor
    has_posted = threading.Event()
    real = ledger._write_lines

    def write_slowly(*parts: Any) -> None:
        real(*parts)
        has_posted.set()
        wait_until(database.waiting)

    monkeypatch.setattr(ledger, "_write_lines", write_slowly)

    def one(number: int) -> Any:
        if number == 0:
            return pay_payout(actor=payer, payout_id=shown("payout", payout.id), reference="SEPA 1")
        has_posted.wait(60)
        return propose_payout(actor=proposer, party_id=tester.party_id)

    paid, proposed = at_once(2, one)
    assert isinstance(paid, Payout)
    assert getattr(proposed, "code", "") == "nothing_owed"
    assert Payout.objects.count() == 1


def test_of_eight_proposals_at_once_for_one_party_one_is_made(tester, reviewer, finance, at_once):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    actor = finance.actor
    outcomes = at_once(8, lambda _number: propose_payout(actor=actor, party_id=tester.party_id))
    assert sum(isinstance(each, Payout) for each in outcomes) == 1
    assert sum(isinstance(each, PayoutOpen) for each in outcomes) == 7


def file_while_a_rate_is_published(
    tester: Member, at_once: Any, monkeypatch: Any, wait_for_publisher: Any
) -> Contribution:
    """A publisher comes while a contribution that began later is being filed."""
    a_rate(tester.programme.id)
    actor = tester.actor
    assert actor.is_portal
    filing = threading.Event()
    real = contributions.rate_in_force

    def read_then_wait(programme_id: Any, kind: str, at: datetime) -> Any:
        found = real(programme_id, kind, at)
        filing.set()
        wait_for_publisher()
        return found

    monkeypatch.setattr(contributions, "rate_in_force", read_then_wait)

    def one(number: int) -> Any:
        if number == 0:
            return a_contribution(tester)
        filing.wait(60)
        return publish_rate(
            programme_id=tester.programme.id, kind=ActKind.BUG_REPORT, amount_micro=MICRO
        )

    contribution, rate = at_once(2, one)
    assert isinstance(contribution, Contribution), contribution
    assert not isinstance(rate, Exception), rate
    return contribution


def test_what_is_filed_while_a_rate_is_published_keeps_the_rate_of_its_moment(
    tester, reviewer, at_once, database, monkeypatch
):
    contribution = file_while_a_rate_is_published(
        tester, at_once, monkeypatch, lambda: wait_until(database.waiting)
    )
    in_force = rate_in_force(tester.programme.id, ActKind.BUG_REPORT, contribution.filed_at)
    assert in_force == contribution.rate
    accepted = triage_contribution(
        actor=reviewer.actor, contribution_id=shown("contribution", contribution.id), accept=True
    )
    assert accepted.state == "accepted"
    assert owed_to(tester.party_id, tester.programme.id).left.amount_micro == 25 * MICRO


def test_control_a_publisher_that_does_not_wait_slips_a_rate_under_what_is_being_filed(
    tester, reviewer, at_once, monkeypatch
):
    """Its transaction began before the contribution's and is committed first, while nobody sees the
    contribution yet: that has a rate that was not in force, and could never be accepted."""
    a_rate(tester.programme.id)
    assert tester.actor.is_portal
    has_begun, is_written, is_published = (threading.Event() for _ in range(3))
    monkeypatch.setattr(contributions, "hold_rates", lambda _programme_id: None)
    real_gate, real_tell = rates.wait_until_nobody_earns, contributions._tell

    def publish_slowly(programme_id: Any) -> None:
        has_begun.set()
        is_written.wait(60)
        real_gate(programme_id)

    def commit_slowly(*parts: Any, **facts: Any) -> None:
        real_tell(*parts, **facts)
        is_written.set()
        is_published.wait(60)

    monkeypatch.setattr(rates, "wait_until_nobody_earns", publish_slowly)
    monkeypatch.setattr(contributions, "_tell", commit_slowly)

    def one(number: int) -> Any:
        if number == 0:
            rate = publish_rate(
                programme_id=tester.programme.id, kind=ActKind.BUG_REPORT, amount_micro=MICRO
            )
            is_published.set()
            return rate
        has_begun.wait(60)
        return a_contribution(tester)

    rate, contribution = at_once(2, one)
    assert rate.applies_from < contribution.filed_at < now()
    assert contribution.rate != rate
    with pytest.raises(IntegrityError, match="rate in force"):
        triage_contribution(
            actor=reviewer.actor,
            contribution_id=shown("contribution", contribution.id),
            accept=True,
        )
