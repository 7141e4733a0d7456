"""Cohorts name members; they give no right and end with what they rest on."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.cohorts.commands import end_cohort, make_cohort, seat_member, unseat_member
from accounts.cohorts.models import CohortSeat
from accounts.cohorts.queries import (
    cohort_for,
    cohorts_by_member,
    cohorts_of,
    parties_in_cohort,
)
from accounts.programmes.models import Membership
from accounts.roles.queries import members_of
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.ids import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(manager):
    return make_cohort(programme_id=manager.programme.id, name=" Spring ", actor=manager.actor)


def inside(cohort):
    return set(parties_in_cohort(cohort.id))


def test_a_member_is_seated_and_leaves_and_twice_is_fine(manager, tester, cohort):
    assert cohort.name == "Spring"
    for _ in range(2):
        seat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=manager.actor)
    assert inside(cohort) == {tester.party_id}
    assert [one.members for one in cohorts_of(manager.actor)] == [1]
    assert [one.party_id for one in members_of(manager.actor, cohort_id=cohort.id)] == [
        tester.party_id
    ]
    membership = Membership.objects.get(party_id=tester.party_id)
    assert cohorts_by_member([membership.id])[membership.id] == [cohort]
    for _ in range(2):
        unseat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=manager.actor)
    assert inside(cohort) == set()
    assert CohortSeat.objects.count() == 1


def test_a_cohort_that_ends_takes_its_seats_along_and_frees_its_name(manager, tester, cohort):
    seat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=manager.actor)
    for _ in range(2):
        end_cohort(cohort_id=cohort.id, actor=manager.actor)
    assert inside(cohort) == set()
    assert list(cohorts_of(manager.actor)) == []
    with pytest.raises(Absent):
        seat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=manager.actor)
    make_cohort(programme_id=manager.programme.id, name="spring", actor=manager.actor)


def test_who_leaves_the_programme_leaves_its_cohorts(manager, tester, cohort):
    seat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=manager.actor)
    Membership.objects.filter(party_id=tester.party_id).update(ended_at=now())
    assert inside(cohort) == set()


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines", "SPRING"])
def test_a_name_says_something_and_is_nobody_elses(manager, cohort, name):
    with pytest.raises(InvalidOrder):
        make_cohort(programme_id=manager.programme.id, name=name, actor=manager.actor)


def test_strangers_are_not_seated_and_others_find_no_cohort(manager, tester, stranger, cohort):
    with pytest.raises(Absent):
        seat_member(cohort_id=cohort.id, party_id=stranger.party_id, actor=manager.actor)
    with pytest.raises(Absent):
        seat_member(cohort_id=cohort.id, party_id=tester.party_id, actor=tester.actor)
    with pytest.raises(Absent):
        cohort_for(stranger.actor, shown("cohort", cohort.id))
    with pytest.raises(Absent):
        end_cohort(cohort_id=cohort.id, actor=stranger.actor)


def test_the_command_makes_lists_and_ends(programme, capsys):
    call_command("cohort", "make", "Autumn", programme="studio")
    call_command("cohort", "list", programme="studio")
    assert "Autumn: 0" in capsys.readouterr().out
    call_command("cohort", "end", "autumn", programme="studio")
    for words, said in (
        (("end", "autumn"), "no cohort"),
        (("make",), "Name the cohort"),
        (("make", "x" * 99), "up to 80"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("cohort", *words, programme="studio")
