"""Every rule of docs/invariants.md is attacked twice in raw SQL: as application, and as owner.

A mere missing privilege proves little, so the owner, whom nothing else stops, meets the rule
itself, with all triggers on. Every attack is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from invariants import catalogue
from invariants.attacks import ATTACKS, NO_RIGHT, RAISED, Attack, Statement, a_job_like, clone
from invariants.world import World, a_world

from greenroom.embedded.roles import APP, OWNER
from stage.database import Database


@pytest.fixture(scope="module")
def world(database: Database, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        yield a_world()
        database.reset()


@pytest.fixture(scope="module")
def roles(database: Database) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    connections = {role: database.connect(role, autocommit=True) for role in (APP, OWNER)}
    yield connections
    for each in connections.values():
        each.close()


def refusal_of(
    connection: psycopg.Connection[Any], statements: list[Statement]
) -> psycopg.errors.Diagnostic:
    with pytest.raises(psycopg.Error) as refused, connection.transaction(force_rollback=True):
        for sql, values in statements:
            connection.execute(sql, values)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return refused.value.diag


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_owner_is_refused_by_the_rule_itself(attack: Attack, world, roles):
    lifted = [(statement, {}) for statement in attack.lifts]
    refused = refusal_of(roles[OWNER], [*lifted, *attack.deed(world)])
    assert (refused.constraint_name, refused.sqlstate) == (attack.name, attack.sqlstate)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_application_is_refused(attack: Attack, world, roles):
    refused = refusal_of(roles[APP], attack.deed(world))
    if attack.behind:
        assert (refused.constraint_name, refused.sqlstate) == (attack.behind, RAISED)
    elif attack.application_may_try:
        assert (refused.constraint_name, refused.sqlstate) == (attack.name, attack.sqlstate)
    else:
        assert refused.sqlstate == NO_RIGHT


@pytest.mark.parametrize("deed", ["UPDATE", "DELETE", "TRUNCATE"])
@pytest.mark.parametrize("table", catalogue.APPEND_ONLY)
def test_what_is_only_ever_added_is_neither_changed_nor_removed(table, deed, world, roles):
    assert_untouchable(table, deed, "is_append_only", roles)


@pytest.mark.parametrize("deed", ["DELETE", "TRUNCATE"])
@pytest.mark.parametrize("table", catalogue.NEVER_DELETED)
def test_what_has_a_history_is_never_removed(table, deed, world, roles):
    assert_untouchable(table, deed, "is_never_deleted", roles)


def assert_untouchable(table: str, deed: str, law: str, roles: dict[str, Any]) -> None:
    column = first_column(roles[OWNER], table)
    statement = {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[deed]
    owner = refusal_of(roles[OWNER], [(statement, {})])
    trigger = f"{table}_is_never_emptied" if deed == "TRUNCATE" else f"{table}_{law}"
    if deed != "TRUNCATE":  # CASCADE may meet the trigger of a table that points here first
        assert owner.constraint_name == trigger
    assert str(owner.constraint_name).endswith(trigger.removeprefix(table))
    assert owner.sqlstate == RAISED
    assert refusal_of(roles[APP], [(statement, {})]).sqlstate == NO_RIGHT


def first_column(connection: psycopg.Connection[Any], table: str) -> str:
    assert connection.execute(f"SELECT EXISTS (SELECT FROM {table})").fetchone() == (True,), (
        f"there is no row of {table} to attack"
    )
    row = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_no_count_is_ever_negative(world, roles):
    counts = catalogue.counts(roles[OWNER])
    assert len(counts) > 30
    for table, column in counts:
        if table == "generation_job":
            deed = a_job_like(world, **{column: -1})
        else:
            deed = clone(table, **{column: -1})
        for role in (APP, OWNER):
            refused = refusal_of(roles[role], deed)
            assert refused.sqlstate == "23514", (table, column)
            assert refused.table_name == table
