"""Two people, one instruction, one posting."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.notices.models import Notice
from accounts.programmes.models import Role
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, TooLate, WrongScope
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import new_id, shown
from core.money import MICRO, Money
from core.outbox.commands import deliver
from review.ledger.commands import TreasuryTooLow
from review.ledger.models import LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to, treasury_of
from review.payouts.commands import (
    InstructionChanged,
    OwnPayout,
    PayoutOpen,
    SecondPersonNeeded,
    approve_payout,
    cancel_payout,
    pay_payout,
    propose_payout,
)
from review.payouts.models import Payout
from review.payouts.rules import State, instruction_sha256
from stage.cast import Member, a_member
from stage.money import a_funding, a_payout, a_rate, an_earning

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(tester: Member, reviewer: Member, finance: Member) -> Member:
    """A tester who is owed 25.00, with 1000.00 in the treasury."""
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    return tester


def public(payout: Payout) -> str:
    return shown("payout", payout.id)


def approve(member: Member, payout: Payout, digest: str | None = None) -> Payout:
    return approve_payout(
        actor=member.actor,
        payout_id=public(payout),
        instruction_sha256=digest or payout.instruction_sha256,
    )


def pay(member: Member, payout: Payout, reference: str = "SEPA 2026-1") -> Payout:
    return pay_payout(actor=member.actor, payout_id=public(payout), reference=reference)


def state_of(payout: Payout) -> str:
    return str(Payout.objects.values_list("state", flat=True).get(id=payout.id))


def test_a_payout_is_proposed_approved_and_paid_by_two_people(owed, finance, manager):
    payout = a_payout(owed, finance)
    assert (payout.state, payout.amount_micro) == (State.PROPOSED, 25 * MICRO)
    approved = approve(manager, payout)
    assert approved.state == State.APPROVED
    paid = pay(finance, payout)
    assert (paid.state, paid.reference, paid.paid_by_id) == (
        State.PAID,
        "SEPA 2026-1",
        finance.party_id,
    )
    assert paid.transaction is not None
    sums = owed_to(owed.party_id, owed.programme.id)
    assert (sums.earned, sums.paid, sums.left) == (
        Money(25 * MICRO, "EUR"),
        Money(25 * MICRO, "EUR"),
        Money(0, "EUR"),
    )
    assert treasury_of(owed.programme.id) == Money(975 * MICRO, "EUR")
    kinds = AuditEvent.objects.filter(subject_id=payout.id).values_list("kind", flat=True)
    assert sorted(kinds) == ["payout.approved", "payout.paid", "payout.proposed"]
    assert ledger_discrepancies() == []


def test_what_is_smaller_than_a_cent_stays_owed(tester, reviewer, finance, manager):
    a_rate(tester.programme.id, 3_700_009)
    an_earning(tester, reviewer)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    assert payout.amount_micro == 7_400_000
    pay(finance, payout)
    assert owed_to(tester.party_id, tester.programme.id).left.amount_micro == 18


def test_less_than_a_cent_is_not_paid(tester, reviewer, finance):
    a_rate(tester.programme.id, 9_999)
    an_earning(tester, reviewer)
    with pytest.raises(InvalidOrder) as refused:
        propose_payout(actor=finance.actor, party_id=tester.party_id)
    assert (refused.value.code, refused.value.facts["owed_micro"]) == ("nothing_owed", 9_999)


def test_where_nothing_is_owed_nothing_is_proposed(tester, finance):
    with pytest.raises(InvalidOrder) as refused:
        propose_payout(actor=finance.actor, party_id=tester.party_id)
    assert refused.value.code == "nothing_owed"


def test_one_payout_waits_for_a_party_at_a_time(owed, finance):
    payout = a_payout(owed, finance)
    with pytest.raises(PayoutOpen) as refused:
        a_payout(owed, finance)
    assert refused.value.facts["payout"] == public(payout)
    cancel_payout(actor=finance.actor, payout_id=public(payout))
    assert a_payout(owed, finance).state == State.PROPOSED


def test_a_form_sent_twice_proposes_once(owed, finance):
    once = Once.of(scope="payout", key="k", payload=None)

    def again() -> Payout:
        return propose_payout(
            actor=finance.actor,
            party_id=owed.party_id,
            once=once,
            answer=lambda made: (201, public(made)),
        )

    first = again()
    with pytest.raises(AlreadyAnswered) as repeated:
        again()
    assert repeated.value.body == public(first)
    assert Payout.objects.count() == 1


def test_nobody_proposes_approves_or_pays_their_own(programme, reviewer, finance, manager):
    both = a_member(programme, Role.TESTER, Role.FINANCE, name="both")
    a_rate(programme.id)
    an_earning(both, reviewer)
    a_funding(finance)
    with pytest.raises(OwnPayout) as refused:
        propose_payout(actor=both.actor, party_id=both.party_id)
    assert refused.value.http_status == 403
    payout = a_payout(both, finance)
    with pytest.raises(OwnPayout):
        approve(both, payout)
    approve(manager, payout)
    with pytest.raises(OwnPayout):
        pay(both, payout)
    assert state_of(payout) == State.APPROVED


def test_whoever_proposed_it_does_not_approve_it(owed, finance):
    payout = a_payout(owed, finance)
    with pytest.raises(SecondPersonNeeded):
        approve(finance, payout)
    assert state_of(payout) == State.PROPOSED


def test_an_approval_is_of_the_instruction_that_was_shown(owed, finance, manager):
    payout = a_payout(owed, finance)
    other = instruction_sha256(payout.id, owed.party_id, payout.amount_micro + 1, "EUR")
    with pytest.raises(InstructionChanged):
        approve(manager, payout, other)
    assert state_of(payout) == State.PROPOSED


def test_an_approval_counts_once(owed, finance, manager):
    payout = a_payout(owed, finance, manager)
    with pytest.raises(TooLate):
        approve(manager, payout)
    assert payout.approvals.count() == 1


def test_what_nobody_approved_is_not_paid(owed, finance):
    payout = a_payout(owed, finance)
    with pytest.raises(TooLate) as refused:
        pay(finance, payout)
    assert "approval" in refused.value.sentence


def test_a_payout_is_paid_once(owed, finance, manager):
    payout = a_payout(owed, finance, manager)
    pay(finance, payout)
    with pytest.raises(TooLate):
        pay(finance, payout, "another")
    assert LedgerTransaction.objects.filter(kind="payout").count() == 1
    assert Payout.objects.get().reference == "SEPA 2026-1"


@pytest.mark.parametrize("reference", ["", "  ", "two\nlines", "x" * 141])
def test_who_pays_gives_the_transfers_reference(owed, finance, manager, reference):
    payout = a_payout(owed, finance, manager)
    with pytest.raises(InvalidOrder) as refused:
        pay(finance, payout, reference)
    assert refused.value.code == "reference_invalid"
    assert state_of(payout) == State.APPROVED


def test_a_treasury_that_is_too_low_says_what_is_there(tester, reviewer, finance, manager):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance, 10 * MICRO)
    payout = a_payout(tester, finance, manager)
    with pytest.raises(TreasuryTooLow) as refused:
        pay(finance, payout)
    assert refused.value.facts["there_micro"] == 10 * MICRO
    assert state_of(payout) == State.APPROVED
    a_funding(finance, 15 * MICRO)
    assert pay(finance, payout).state == State.PAID


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_cancelled_payout_leaves_what_was_owed(owed, finance, manager, is_approved):
    payout = a_payout(owed, finance, manager if is_approved else None)
    assert cancel_payout(actor=finance.actor, payout_id=public(payout)).state == State.CANCELLED
    assert cancel_payout(actor=finance.actor, payout_id=public(payout)).state == State.CANCELLED
    for deed in (lambda: pay(finance, payout), lambda: approve(manager, payout)):
        with pytest.raises(TooLate):
            deed()
    assert owed_to(owed.party_id, owed.programme.id).left.amount_micro == 25 * MICRO
    assert AuditEvent.objects.filter(kind="payout.cancelled").count() == 1


def test_what_is_paid_is_not_cancelled(owed, finance, manager):
    payout = a_payout(owed, finance, manager)
    pay(finance, payout)
    with pytest.raises(TooLate):
        cancel_payout(actor=finance.actor, payout_id=public(payout))


def test_what_is_earned_meanwhile_is_for_the_next_payout(owed, reviewer, finance, manager):
    payout = a_payout(owed, finance, manager)
    an_earning(owed, reviewer)
    assert pay(finance, payout).amount_micro == 25 * MICRO
    assert a_payout(owed, finance).amount_micro == 25 * MICRO


def test_whoever_left_the_programme_is_still_paid(owed, finance, manager):
    owed.programme.memberships.filter(party=owed.party).update(ended_at=now())
    payout = a_payout(owed, finance, manager)
    assert pay(finance, payout).state == State.PAID


def test_strangers_and_made_up_ids_are_absent(owed, finance, manager, stranger):
    for party_id in (stranger.party_id, new_id()):
        with pytest.raises(Absent):
            propose_payout(actor=finance.actor, party_id=party_id)
    with pytest.raises(Absent):
        pay_payout(actor=finance.actor, payout_id="pay_nothing", reference="x")
    theirs = a_member(stranger.programme, Role.FINANCE, name="their finance")
    payout = a_payout(owed, finance, manager)
    for deed in (
        lambda: pay(theirs, payout),
        lambda: cancel_payout(actor=theirs.actor, payout_id=public(payout)),
    ):
        with pytest.raises(Absent):
            deed()


@pytest.mark.parametrize("who", ["tester", "reviewer", "auditor"])
def test_who_is_not_of_finance_moves_no_payout(owed, finance, request, who):
    member = request.getfixturevalue(who)
    payout = a_payout(owed, finance)
    deeds: list[Any] = [
        lambda: propose_payout(actor=member.actor, party_id=owed.party_id),
        lambda: approve(member, payout),
        lambda: pay(member, payout),
        lambda: cancel_payout(actor=member.actor, payout_id=public(payout)),
    ]
    for deed in deeds:
        with pytest.raises((Absent, OwnPayout)):
            deed()
    assert state_of(payout) == State.PROPOSED


def test_each_move_needs_its_own_scope_and_no_other(owed, finance, manager):
    reader = finance.token_actor("ledger:read")
    with pytest.raises(WrongScope):
        propose_payout(actor=reader, party_id=owed.party_id)
    proposer = finance.token_actor("payouts:propose")
    payout = propose_payout(actor=proposer, party_id=owed.party_id)
    with pytest.raises(WrongScope):
        pay_payout(actor=proposer, payout_id=public(payout), reference="x")
    approve_payout(
        actor=manager.token_actor("payouts:approve"),
        payout_id=public(payout),
        instruction_sha256=payout.instruction_sha256,
    )
    payer = finance.token_actor("payouts:pay")
    assert pay_payout(actor=payer, payout_id=public(payout), reference="x").state == State.PAID


@pytest.mark.django_db(transaction=True)
def test_the_tester_hears_that_they_were_paid(owed, finance, manager):
    pay(finance, a_payout(owed, finance, manager))
    deliver("notices")
    assert "payout.paid" in Notice.objects.filter(party=owed.party).values_list("kind", flat=True)
