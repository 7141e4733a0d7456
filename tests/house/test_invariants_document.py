"""docs/invariants.md names every rule that the database keeps, and no other.

``makemigrations --check`` cannot see triggers; this can.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from invariants import catalogue
from invariants.attacks import ATTACKS

from greenroom.embedded.roles import OWNER

Owner = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def owner(database):
    with database.connect(OWNER, autocommit=True) as connection:
        yield connection


def listed(heading: str) -> set[tuple[str, str]]:
    return {(row[2], row[1]) for row in catalogue.documented()[heading]}


def test_every_check_is_listed_and_every_listed_one_stands(owner: Owner):
    assert listed("Checks") == catalogue.checks(owner)


def test_every_uniqueness_is_listed_and_every_listed_one_stands(owner: Owner):
    assert listed("Uniqueness") | listed("Targets of composite keys") == catalogue.uniques(owner)


def test_every_composite_key_is_listed_and_every_listed_one_stands(owner: Owner):
    assert listed("Composite keys") == catalogue.composite_keys(owner)


def test_every_law_of_a_trigger_is_listed_and_every_listed_one_stands(owner: Owner):
    rows = catalogue.documented()["Laws of triggers"]
    assert {(row[3], row[2], row[1]) for row in rows} == catalogue.raised(owner)
    assert len(rows) == len(catalogue.raised(owner)), "a law is listed twice"


def test_every_trigger_stands_on_the_table_it_is_listed_for(owner: Owner):
    laws = {(row[3], row[2]) for row in catalogue.documented()["Laws of triggers"]}
    deeds = {(row[2], row[1]) for row in catalogue.documented()["Deeds of triggers"]}
    assert not laws & deeds
    families = {
        (table, f"{table}_{law}")
        for tables, own in (
            (catalogue.APPEND_ONLY, "is_append_only"),
            (catalogue.NEVER_DELETED, "is_never_deleted"),
        )
        for table in tables
        for law in (own, "is_never_emptied")
    }
    assert laws | deeds | families == catalogue.triggers(owner)


def test_every_count_is_listed_and_every_listed_one_stands(owner: Owner):
    rows = [(row[0], re.findall(r"\w+", row[1])) for row in catalogue.documented()["Counts"]]
    written = {(table, column) for table, columns in rows for column in columns}
    assert written == set(catalogue.counts(owner))


def test_every_listed_rule_is_attacked_and_nothing_else_is():
    headings = ("Checks", "Uniqueness", "Composite keys", "Laws of triggers")
    written = [name for heading in headings for name in catalogue.names(heading)]
    attacked = [attack.name for attack in ATTACKS]
    assert sorted(attacked) == sorted(written)


def test_every_trigger_is_on(owner: Owner):
    found = owner.execute(
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'"
    ).fetchall()
    assert found == []
