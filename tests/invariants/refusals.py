from __future__ import annotations

from typing import Any

import psycopg
import pytest
from invariants.deeds import Statement


def refusal_of(
    connection: psycopg.Connection[Any], statements: list[Statement]
) -> psycopg.errors.Diagnostic:
    with pytest.raises(psycopg.Error) as refused, connection.transaction(force_rollback=True):
        for sql, values in statements:
            connection.execute(sql, values)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return refused.value.diag
