"""docs/personal_data.md knows every column that points at a person or could hold words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from greenroom.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "docs/personal_data.md"
WORDLESS = (
    "uuid",
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "timestamp with time zone",
)


def section(heading: str) -> list[str]:
    text = DOCUMENT.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| `")]


def personal() -> set[str]:
    return {line.split("`")[1] for line in section("Personal")}


def impersonal() -> set[str]:
    return {
        f"{table}.{column}"
        for line in section("Looked at, nothing personal")
        for table, *columns in [re.findall(r"`(\w+)`", line)]
        for column in columns
    }


@pytest.fixture(scope="module")
def columns(database) -> dict[str, str]:
    """Every column of every table, and its type."""
    rows = database.superuser.execute(
        "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    ).fetchall()
    return dict(rows)


def pointing_at_people(database: Any) -> set[str]:
    rows = database.superuser.execute(
        "SELECT conrelid::regclass::text || '.' || attname FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
        " WHERE contype = 'f' AND confrelid IN"
        " ('accounts_person'::regclass, 'accounts_personaldetail'::regclass)"
    ).fetchall()
    return {row[0] for row in rows}


def test_every_column_that_points_at_a_person_is_listed(database):
    assert pointing_at_people(database) - personal() == set()


def test_every_column_that_can_hold_words_was_looked_at(columns):
    wordy = {name for name, kind in columns.items() if kind not in WORDLESS}
    assert wordy - personal() - impersonal() == set()


def test_every_listed_column_exists(columns):
    assert (personal() | impersonal()) - set(columns) == set()


def test_no_column_is_both_personal_and_not():
    assert personal() & impersonal() == set()


def test_every_column_of_the_two_personal_tables_with_words_is_personal(columns):
    own = {
        name
        for name, kind in columns.items()
        if name.startswith(("accounts_person.", "accounts_personaldetail."))
        and kind not in WORDLESS
    }
    assert own <= personal()


def test_every_personal_column_says_what_export_and_erasure_do():
    for line in section("Personal"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 4, line
        assert all(cells), line
