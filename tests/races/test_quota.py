"""The last unit of quota, wanted by thirty-two at once."""

from __future__ import annotations

import threading

import pytest

from accounts.programmes.models import Role
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget, Kind, Reservation
from accounts.quotas.queries import discrepancies, quota_of
from core.errors import QuotaExceeded
from core.ids import new_id
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from stage.builders import a_model, a_wish
from stage.cast import a_member, give_credits

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SUBMITTERS = 32


def assert_one_won(outcomes: list[object]) -> None:
    assert sum(isinstance(outcome, Job) for outcome in outcomes) == 1
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Job)]
    assert all(isinstance(outcome, QuotaExceeded) for outcome in refused), refused
    assert all(outcome.facts["left"] == 0 for outcome in refused)
    assert Job.objects.count() == Reservation.objects.count() == 1
    assert discrepancies() == []


def test_of_thirty_two_submitters_one_gets_the_last_unit_of_a_budget(tester, at_once):
    a_model()
    give_credits(tester, 1)
    actor = tester.actor
    assert_one_won(at_once(SUBMITTERS, lambda _number: submit_job(actor=actor, wish=a_wish())))


def test_of_thirty_two_testers_one_gets_the_last_unit_of_the_programme(programme, at_once):
    a_model()
    grant_budget(programme_id=programme.id, kind=Kind.CREDITS, limit=1)
    actors = [
        a_member(programme, Role.TESTER, name=f"tester {number}").actor
        for number in range(SUBMITTERS)
    ]
    outcomes = at_once(SUBMITTERS, lambda number: submit_job(actor=actors[number], wish=a_wish()))
    assert_one_won(outcomes)


def test_half_of_the_wishes_fit_and_exactly_half_are_granted(tester, at_once):
    a_model()
    give_credits(tester, SUBMITTERS // 2)
    actor = tester.actor
    outcomes = at_once(SUBMITTERS, lambda _number: submit_job(actor=actor, wish=a_wish()))
    assert sum(isinstance(outcome, Job) for outcome in outcomes) == SUBMITTERS // 2
    own = Budget.objects.get(party_id=tester.party_id)
    assert (own.reserved, own.left) == (SUBMITTERS // 2, 0)
    assert discrepancies() == []


def test_control_who_reads_first_and_writes_then_sells_the_last_unit_many_times(tester, at_once):
    give_credits(tester, 1)
    own = Budget.objects.get(party_id=tester.party_id)
    all_have_read = threading.Barrier(SUBMITTERS)

    def naive(_number: int) -> bool:
        left = quota_of(
            programme_id=tester.programme.id,
            party_id=tester.party_id,
            lineage_id=new_id(),
            kind=Kind.CREDITS,
        ).left
        all_have_read.wait(60)
        if left < 1:
            return False
        Reservation.objects.create(
            work_id=new_id(),
            programme_id=tester.programme.id,
            party_id=tester.party_id,
            kind=Kind.CREDITS,
            amount=1,
            path=[own.id],
        )
        Budget.objects.filter(id=own.id).update(reserved=own.reserved + 1)
        return True

    sold = at_once(SUBMITTERS, naive).count(True)
    assert sold > 1
    assert Reservation.objects.count() == sold
    assert discrepancies() != []
