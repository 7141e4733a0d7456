"""Every rule of docs/invariants.md is attacked twice in raw SQL: as application, and as owner.

A mere missing privilege proves little, so the owner, whom nothing else stops, meets the rule
itself, with all triggers on. Every attack is rolled back.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from invariants import catalogue
from invariants.attacks import ATTACKS, MINUS_ONE, VARIANTS
from invariants.deeds import CHECK, NO_RIGHT, RAISED, Attack, clone
from invariants.own_programme_attacks import VERSIONED
from invariants.refusals import refusal_of

from greenroom.embedded.roles import APP, OWNER


@pytest.mark.parametrize("attack", [*ATTACKS, *VARIANTS], ids=lambda attack: attack.name)
def test_the_owner_is_refused_by_the_rule_itself(attack: Attack, world, roles):
    lifted = [(statement, {}) for statement in attack.lifts]
    refused = refusal_of(roles[OWNER], [*lifted, *attack.deed(world)])
    assert (refused.constraint_name, refused.sqlstate) == (attack.name, attack.sqlstate)


@pytest.mark.parametrize("attack", [*ATTACKS, *VARIANTS], ids=lambda attack: attack.name)
def test_the_application_is_refused(attack: Attack, world, roles):
    refused = refusal_of(roles[APP], attack.deed(world))
    if attack.behind:
        assert refused.constraint_name == attack.behind
        assert refused.sqlstate in {RAISED, CHECK}
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
        make = MINUS_ONE.get(table)
        deed = make(world, column) if make else clone(table, **{column: -1})
        # A submission has as many frames as its clip, a version the next number: asked first.
        is_raised = table in ("review_submission", "accounts_rate") or (
            table in VERSIONED and column == "number"
        )
        for role in (APP, OWNER):
            refused = refusal_of(roles[role], deed)
            assert refused.sqlstate == (RAISED if is_raised else CHECK), (table, column)
            assert is_raised or refused.table_name == table
