"""What the database itself says its rules are, and what docs/invariants.md says they are."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from greenroom.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "docs/invariants.md"

# Tables of other people's apps, and the two that Django makes for their sake.
NOT_OURS = re.compile(r"(account|mfa|auth|django)_|accounts_person_(groups|user_permissions)$")

OURS = "'^(core|accounts|generation|review)_'"
OUR_TABLES = f"conrelid::regclass::text ~ {OURS}"


def documented() -> dict[str, list[list[str]]]:
    """The rows of every table of the document by the heading above it, without back-ticks."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| ") and "---" not in line:
            cells = [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
            found.setdefault(heading, []).append([cell.strip("| `") for cell in cells])
    return {heading: rows[1:] for heading, rows in found.items()}


def names(heading: str, column: int = 1) -> list[str]:
    return [row[column] for row in documented()[heading]]


APPEND_ONLY = names("Only ever added", 0) if DOCUMENT.exists() else []
NEVER_DELETED = names("Never removed", 0) if DOCUMENT.exists() else []


def _ask(connection: psycopg.Connection[Any], sql: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(sql).fetchall()
    return [row for row in rows if not NOT_OURS.match(row[0])]


def counts(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Table and column of every ``column >= 0`` that Django writes for a positive integer."""
    rows = _ask(
        connection,
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND conname = conrelid::regclass::text || '_' || split_part("
        "   substring(conname FROM length(conrelid::regclass::text) + 2), '_check', 1) || '_check'"
        f" AND {OUR_TABLES} ORDER BY 1, conname",
    )
    found = [(table, re.fullmatch(r'CHECK \(\("?(\w+)"? >= 0\)\)', text)) for table, text in rows]
    return [(table, match[1]) for table, match in found if match]


def checks(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """Our own CHECKs, without the counts: table and name."""
    plain = {f"{table}_{column}_check" for table, column in counts(connection)}
    rows = _ask(
        connection,
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        f" WHERE contype = 'c' AND {OUR_TABLES}",
    )
    return {(table, name) for table, name in rows if name not in plain}


def uniques(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """Unique constraints and unique indexes beside the primary keys, and exclusions."""
    rows = _ask(
        connection,
        "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
        " WHERE (indisunique OR indisexclusion) AND NOT indisprimary"
        f" AND indrelid::regclass::text ~ {OURS}",
    )
    return {(table, name) for table, name in rows}


def composite_keys(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """Foreign keys of several columns; those of one column are Django's own and need no words."""
    rows = _ask(
        connection,
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        f" WHERE contype = 'f' AND cardinality(conkey) > 1 AND {OUR_TABLES}",
    )
    return {(table, name) for table, name in rows}


def triggers(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    rows = _ask(
        connection,
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
    )
    return {(table, name) for table, name in rows}


def raised(connection: psycopg.Connection[Any]) -> set[tuple[str, str, str]]:
    """Table, trigger and constraint name of every rule that the code of a trigger raises by name,
    itself or in a function that it performs."""
    rows = _ask(
        connection,
        "SELECT t.tgrelid::regclass::text, t.tgname, p.prosrc, ARRAY("
        "   SELECT f.prosrc FROM pg_proc f WHERE f.pronamespace = 'public'::regnamespace"
        "   AND p.prosrc LIKE '%PERFORM ' || f.proname || '(%')"
        " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND p.proname <> 'core_refuse_change'",
    )
    return {
        (table, trigger, name)
        for table, trigger, source, performed in rows
        for name in re.findall(r"CONSTRAINT\s*=\s*'(\w+)'", "".join([source, *performed]))
    }
