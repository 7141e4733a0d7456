"""Statements that every request asks: planned once for each connection.

Django's driver writes the values into the text, so PostgreSQL plans each anew, which for these
takes longer than to answer them. Needs a connection of one's own, as LISTEN does: no pooler between
that gives each transaction another.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

_planned: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def planned_row(statement: str, types: str, values: Sequence[Any]) -> dict[str, Any] | None:
    """The statement's first row by the names of its columns; ``$1`` … stand for the values.

    ``types`` are theirs in SQL, with commas between. Both are parts of our own source, never of a
    request.
    """
    name = _name(statement)
    with connection.cursor() as cursor:
        held = _planned.setdefault(connection.connection, set())
        if name not in held:
            # Past Django's log of queries: it is none of this request's.
            with connection.wrap_database_errors:
                connection.connection.execute(f"PREPARE {name} ({types}) AS {statement}")
            held.add(name)
        cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", values)
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, row, strict=True)) if row else None


@cache
def _name(statement: str) -> str:
    return f"planned_{sha256(statement.encode()).hexdigest()[:16]}"
