"""Roles are given by somebody else, for as long as was said, and never two that stay apart."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest
from django.core.management import CommandError, call_command

from accounts.administrators.commands import make_administrator
from accounts.programmes.models import Role, RoleGrant
from accounts.programmes.queries import roles_in
from accounts.roles.commands import (
    DutiesAreSeparate,
    LastManager,
    NoSelfGrant,
    end_expired_grants,
    end_role,
    grant_role,
)
from accounts.roles.queries import live_grants, member_for, members_of
from accounts.roles.rules import APART, kept_apart
from accounts.tasks import tidy
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, WrongScope
from core.ids import shown
from core.outbox.models import OutboxMessage
from stage.cast import a_member

pytestmark = pytest.mark.django_db


def give(member, role, *, by=None, until=None):
    return grant_role(
        programme_id=member.programme.id,
        party_id=member.party_id,
        role=Role(role),
        expires_at=until,
        actor=by.actor if by else None,
    )


def take(member, role, *, by=None):
    end_role(
        programme_id=member.programme.id,
        party_id=member.party_id,
        role=Role(role),
        actor=by.actor if by else None,
    )


def held(member):
    return set(roles_in(member.programme.id, member.party_id))


def test_a_manager_gives_a_role_and_ends_it_and_the_holder_hears(manager, tester):
    grant = give(tester, "reviewer", by=manager)
    assert held(tester) == {"tester", "reviewer"}
    assert grant.granted_by_id == manager.party_id
    take(tester, "reviewer", by=manager)
    assert held(tester) == {"tester"}
    for kind in ("role.granted", "role.ended"):
        line = AuditEvent.objects.get(kind=kind)
        assert (line.actor_party_id, line.facts["role"]) == (manager.party_id, "reviewer")
        assert OutboxMessage.objects.get(kind=kind).party_id == tester.party_id


def test_ending_a_role_twice_and_giving_it_twice_is_fine(manager, tester):
    first = give(tester, "reviewer", by=manager)
    assert give(tester, "reviewer", by=manager).id == first.id
    take(tester, "reviewer", by=manager)
    take(tester, "reviewer", by=manager)
    assert AuditEvent.objects.filter(kind="role.ended").count() == 1


def test_giving_it_again_moves_its_end(manager, tester):
    until = now() + timedelta(days=3)
    give(tester, "reviewer", by=manager)
    give(tester, "reviewer", by=manager, until=until)
    assert RoleGrant.objects.get(role="reviewer", ended_at=None).expires_at == until


@pytest.mark.django_db(transaction=True)
def test_a_role_for_a_time_gives_nothing_afterwards_and_housekeeping_says_so(
    manager, tester, clock
):
    give(tester, "reviewer", by=manager, until=clock.now() + timedelta(days=3))
    clock.advance(days=3, seconds=1)
    assert held(tester) == {"tester"}
    assert RoleGrant.objects.get(role="reviewer").ended_at is None
    tidy()
    assert RoleGrant.objects.get(role="reviewer").ended_at is not None
    assert AuditEvent.objects.get(kind="role.ended").facts["why"] == "time_up"
    assert end_expired_grants() == 0
    give(tester, "reviewer", by=manager)
    assert held(tester) == {"tester", "reviewer"}


def test_an_end_that_is_over_is_refused(manager, tester):
    with pytest.raises(InvalidOrder) as refused:
        give(tester, "reviewer", by=manager, until=now())
    assert refused.value.code == "end_in_the_past"


def test_nobody_gives_themselves_a_role(manager):
    with pytest.raises(NoSelfGrant):
        give(manager, "reviewer", by=manager)


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in combinations(Role.values, 2) if frozenset(pair) in APART]
)
def test_two_duties_that_stay_apart_are_refused_in_either_order(programme, manager, one, other):
    for first, second in ((one, other), (other, one)):
        member = a_member(programme, Role(first), name=f"{first} {second}", has_accepted=False)
        with pytest.raises(DutiesAreSeparate):
            give(member, second, by=manager)
        assert held(member) == {first}
        assert kept_apart(second, frozenset({first})) == {first}


@pytest.mark.parametrize(
    ("one", "other"),
    [pair for pair in combinations(Role.values, 2) if frozenset(pair) not in APART],
)
def test_all_others_may_be_in_one_hand(programme, manager, one, other):
    member = a_member(programme, Role(one), name=f"{one} {other}", has_accepted=False)
    give(member, other, by=manager)
    assert held(member) == {one, other}


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_an_administrator_neither_pays_nor_audits(manager, tester, role):
    make_administrator(party_id=tester.party_id, granted_by=None)
    with pytest.raises(DutiesAreSeparate):
        give(tester, role, by=manager)


def test_the_last_manager_stays_unless_an_administrator_or_the_machine_says_otherwise(
    programme, manager, administrator
):
    with pytest.raises(LastManager):
        take(manager, "manager", by=manager)
    second = a_member(programme, Role.MANAGER, name="second manager")
    take(manager, "manager", by=second)
    assert held(manager) == set()
    with pytest.raises(LastManager):
        take(second, "manager", by=second)
    take(second, "manager", by=administrator)
    assert held(second) == set()
    give(second, "manager", by=administrator)
    take(second, "manager")
    assert held(second) == set()


def test_who_is_no_member_of_the_programme_has_no_role_in_it(manager, stranger):
    with pytest.raises(Absent):
        grant_role(
            programme_id=manager.programme.id,
            party_id=stranger.party_id,
            role=Role.TESTER,
            actor=manager.actor,
        )
    with pytest.raises(Absent):
        give(stranger, "reviewer", by=manager)


@pytest.mark.parametrize("who", ["tester", "reviewer", "finance", "auditor"])
def test_only_managers_and_administrators_give_roles(request, who, second_tester):
    with pytest.raises(Absent):
        give(second_tester, "reviewer", by=request.getfixturevalue(who))


def test_a_token_needs_the_scope(manager, tester):
    actor = manager.token_actor("people:read")
    with pytest.raises(WrongScope):
        grant_role(
            programme_id=tester.programme.id,
            party_id=tester.party_id,
            role=Role.REVIEWER,
            actor=actor,
        )


# Who is there -----------------------------------------------------------------------------------


def test_the_list_is_filtered_by_name_role_and_brings_roles_along(
    manager, tester, reviewer, stranger, django_assert_num_queries
):
    actor = manager.actor
    with django_assert_num_queries(2):
        found = {one.party_id: one for one in members_of(actor)}
        assert [grant.role for grant in live_grants(found[tester.party_id])] == ["tester"]
    assert stranger.party_id not in found
    assert [one.party_id for one in members_of(manager.actor, name="REVIEWER@")] == [
        reviewer.party_id
    ]
    assert [one.party_id for one in members_of(manager.actor, role="tester")] == [tester.party_id]
    assert list(members_of(manager.actor, name="%")) == []


def test_one_person_is_found_by_who_looks_after_them_only(manager, tester, stranger, auditor):
    assert member_for(auditor.actor, shown("party", tester.party_id)).party_id == tester.party_id
    for actor, party in ((manager, stranger), (tester, tester)):
        with pytest.raises(Absent):
            member_for(actor.actor, shown("party", party.party_id))


# The command ------------------------------------------------------------------------------------


def test_the_command_gives_until_a_day_and_ends(tester):
    call_command("role", "grant", tester.email, "reviewer", programme="studio", until="2199-01-31")
    grant = RoleGrant.objects.get(role="reviewer")
    assert grant.expires_at.isoformat() == "2199-01-31T23:00:00+00:00"
    call_command("role", "end", tester.email, "reviewer", programme="studio")
    assert held(tester) == {"tester"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grant", "nobody@x.org", "tester"), "Nobody"),
        (("grant", "stranger@elsewhere.example", "tester"), "not in the programme"),
        (("grant", "tester@studio.example", "auditor"), "never in one hand"),
    ],
)
def test_the_command_says_what_is_wrong(tester, stranger, words, said):
    with pytest.raises(CommandError, match=said):
        call_command("role", *words, programme="studio")


@pytest.mark.parametrize("day", ["31.1.2199", "2199-02-31", "2999-01-31"])
def test_the_command_wants_a_day(tester, day):
    with pytest.raises(CommandError, match="written like"):
        call_command("role", "grant", tester.email, "reviewer", programme="studio", until=day)


def test_a_manager_whose_role_ended_while_they_waited_gives_none(manager, tester):
    waiting = a_member(manager.programme, Role.MANAGER, name="waiting")
    actor = waiting.actor  # as the request began
    take(waiting, "manager", by=manager)
    with pytest.raises(Absent):
        grant_role(
            programme_id=tester.programme.id,
            party_id=tester.party_id,
            role=Role.REVIEWER,
            actor=actor,
        )
    assert held(tester) == {"tester"}
