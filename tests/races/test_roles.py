"""Two roles that are never in one hand, granted at once; a role granted while its holder leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError

from accounts.administrators.models import Administrator
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.programmes.models import Membership, Role, RoleGrant
from accounts.programmes.queries import roles_in
from accounts.roles.commands import DutiesAreSeparate, grant_role
from core.clock import CoreNow
from core.errors import Absent
from greenroom.embedded.roles import APP, OWNER
from stage.cast import Member, a_member
from stage.database import Database
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 6
APART = (Role.FINANCE, Role.MANAGER)
AtOnce = Callable[..., list[Any]]

GRANT = (
    "INSERT INTO accounts_rolegrant (id, membership_id, role, granted_at)"
    " VALUES (core_new_id(), %s, %s, core_now())"
)
SEAT = (
    "INSERT INTO accounts_cohortseat (id, membership_id, cohort_id, programme_id, joined_at)"
    " SELECT core_new_id(), %s, id, programme_id, core_now() FROM accounts_cohort"
)
LEAVE = "UPDATE accounts_membership SET ended_at = core_now() WHERE id = %s"


@pytest.fixture
def newcomer(programme: Any) -> Member:
    return a_member(programme, name="newcomer")


def membership_of(member: Member) -> UUID:
    return Membership.objects.get(party_id=member.party_id, ended_at=None).id


def live_roles(member: Member) -> frozenset[str]:
    return roles_in(member.programme.id, member.party_id)


# Two duties in one hand --------------------------------------------------------------------------


def test_of_two_managers_who_grant_finance_and_management_at_once_one_is_refused(
    programme, at_once
):
    managers = [a_member(programme, Role.MANAGER, name=f"manager {n}").actor for n in range(2)]
    for number in range(ROUNDS):
        holder = a_member(programme, name=f"holder {number}")

        def grant(which: int, holder: Member = holder) -> RoleGrant:
            return grant_role(
                programme_id=programme.id,
                party_id=holder.party_id,
                role=APART[which],
                actor=managers[which],
            )

        outcomes = at_once(2, grant)
        assert {type(each) for each in outcomes} == {DutiesAreSeparate, RoleGrant}, outcomes
        assert len(live_roles(holder)) == 1


def test_of_two_grants_past_the_command_the_second_waits_and_is_refused(newcomer, database):
    """It began before the first was committed, and sees it all the same."""
    outcome = second_of_two(database, [membership_of(newcomer)] * 2)
    assert outcome == "duties_are_separate"
    assert live_roles(newcomer) == {Role.FINANCE}


def test_control_without_the_advisory_lock_both_are_granted(newcomer, database):
    with without_the_lock(database):
        assert second_of_two(database, [membership_of(newcomer)] * 2) == "granted"
    assert live_roles(newcomer) == set(APART)


def second_of_two(database: Database, memberships: list[UUID]) -> str:
    """Finance is granted and not yet committed when another connection grants management."""
    with database.connect(APP) as first, database.connect(APP) as second:
        first.execute(GRANT, [memberships[0], APART[0]])
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(named, lambda: second.execute(GRANT, [memberships[1], APART[1]]))
            wait_until(lambda: late.done() or database.waiting())
            first.commit()
            outcome = late.result()
    return outcome


def named(deed: Callable[[], Any]) -> str:
    """What refused it, or that it was granted."""
    try:
        deed()
    except psycopg.errors.IntegrityError as refused:
        return str(refused.diag.constraint_name)
    return "granted"


@contextmanager
def without_the_lock(database: Database) -> Iterator[None]:
    replaced = (
        "CREATE OR REPLACE FUNCTION accounts_one_at_a_time(party uuid) RETURNS void LANGUAGE sql"
    )
    asked = "SELECT pg_get_functiondef('accounts_one_at_a_time(uuid)'::regprocedure)"
    with database.connect(OWNER, autocommit=True) as owner:
        row = owner.execute(asked).fetchone()
        assert row is not None
        owner.execute(f"{replaced} AS 'SELECT'")
        try:
            yield
        finally:
            owner.execute(row[0])


def test_nobody_becomes_administrator_and_finance_in_one_moment(programme, at_once):
    for number in range(ROUNDS):
        holder = a_member(programme, name=f"holder {number}")
        membership = membership_of(holder)

        def rise(which: int, holder: Member = holder, membership: UUID = membership) -> None:
            if which:
                Administrator.objects.create(party_id=holder.party_id)
            else:
                RoleGrant.objects.create(membership_id=membership, role=Role.FINANCE)

        outcomes = at_once(2, rise)
        assert sum(isinstance(each, IntegrityError) for each in outcomes) == 1, outcomes
        is_chief = Administrator.objects.filter(party_id=holder.party_id).exists()
        assert is_chief != bool(live_roles(holder))


# A role for somebody who leaves ------------------------------------------------------------------


def a_grant(connection: psycopg.Connection[Any], membership: UUID) -> None:
    connection.execute(GRANT, [membership, Role.REVIEWER])


def a_seat(connection: psycopg.Connection[Any], membership: UUID) -> None:
    connection.execute(SEAT, [membership])


BEGINS = {
    "a role": (a_grant, RoleGrant, "a_role_is_held_by_a_member"),
    "a seat": (a_seat, CohortSeat, "a_seat_is_a_members"),
}


@pytest.mark.parametrize("what", BEGINS)
def test_what_begins_while_its_holder_leaves_ends_with_the_membership(
    what, programme, newcomer, database
):
    begin, rows, _name = BEGINS[what]
    Cohort.objects.create(programme=programme, name="Autumn")
    membership = membership_of(newcomer)
    with database.connect(APP) as grants, database.connect(APP, autocommit=True) as leaves:
        begin(grants, membership)
        with ThreadPoolExecutor(1) as pool:
            leaving = pool.submit(leaves.execute, LEAVE, [membership])
            wait_until(lambda: leaving.done() or database.waiting())
            assert not leaving.done(), "the membership ended under a grant that was under way"
            grants.commit()
            leaving.result()
    assert rows.objects.filter(membership_id=membership, ended_at=None).count() == 0
    assert rows.objects.filter(membership_id=membership).count() == 1


@pytest.mark.parametrize("what", BEGINS)
def test_what_begins_after_its_holder_left_is_refused_though_it_was_asked_before(
    what, programme, newcomer, database
):
    begin, rows, name = BEGINS[what]
    Cohort.objects.create(programme=programme, name="Autumn")
    membership = membership_of(newcomer)
    with database.connect(APP) as leaves, database.connect(APP) as grants:
        leaves.execute(LEAVE, [membership])
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(named, lambda: begin(grants, membership))
            wait_until(lambda: late.done() or database.waiting())
            leaves.commit()
            assert late.result() == name
    assert rows.objects.filter(membership_id=membership, ended_at=None).count() == 0


def test_control_without_the_trigger_a_role_outlives_its_membership(newcomer, database):
    membership = membership_of(newcomer)
    with database.connect(OWNER) as owner:
        owner.execute("ALTER TABLE accounts_rolegrant DISABLE TRIGGER rolegrant_begins")
        owner.commit()
        try:
            with database.connect(APP) as leaves, database.connect(APP) as grants:
                a_grant(grants, membership)
                leaves.execute(LEAVE, [membership])  # and sees no grant to end
                leaves.commit()
                grants.commit()
        finally:
            owner.execute("ALTER TABLE accounts_rolegrant ENABLE TRIGGER rolegrant_begins")
    assert RoleGrant.objects.filter(membership_id=membership, ended_at=None).count() == 1


def test_a_manager_grants_while_another_ends_the_membership(programme, at_once):
    """Whoever is first, nobody holds a role without being a member."""
    manager = a_member(programme, Role.MANAGER, name="manager").actor
    for number in range(ROUNDS):
        holder = a_member(programme, Role.TESTER, name=f"holder {number}")
        membership = membership_of(holder)
        ready = threading.Barrier(2)

        def act(
            which: int,
            holder: Member = holder,
            membership: UUID = membership,
            ready: threading.Barrier = ready,
        ) -> None:
            ready.wait(60)
            if which:
                Membership.objects.filter(id=membership).update(ended_at=CoreNow())
            else:
                grant_role(
                    programme_id=programme.id,
                    party_id=holder.party_id,
                    role=Role.REVIEWER,
                    actor=manager,
                )

        granted, left = at_once(2, act)
        assert granted is None or isinstance(granted, Absent | IntegrityError), granted
        assert left is None
        assert not RoleGrant.objects.filter(membership_id=membership, ended_at=None).exists()
