"""A statement that every request asks is planned once for each connection."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.planned import planned_row

pytestmark = pytest.mark.django_db(transaction=True)

NEXT_DAY = "SELECT $1 + 1 AS day, $2 AS word"


def asked(day: date, word: str = "quiet"):
    return planned_row(NEXT_DAY, "date, text", [day, word])


def test_it_answers_by_the_names_of_its_columns():
    assert asked(date(2026, 2, 28)) == {"day": date(2026, 3, 1), "word": "quiet"}
    assert planned_row("SELECT 1 AS one WHERE $1", "boolean", [False]) is None


def test_a_value_is_a_value_whatever_it_says():
    word = "'); DROP TABLE generation_job; --"
    assert asked(date(2026, 1, 1), word)["word"] == word


def plans() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'planned%'")
        return cursor.fetchone()[0]


def test_a_connection_plans_it_once_and_the_next_one_anew():
    for _connection in range(2):
        connection.close()
        assert plans() == 0
        for day in (1, 2, 3):
            with CaptureQueriesContext(connection) as captured:
                asked(date(2026, 1, day))
            assert len(captured) == 1
        assert plans() == 1


def test_the_plan_outlives_a_transaction_that_was_rolled_back():
    connection.close()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        asked(date(2026, 1, 1))
        raise ZeroDivisionError
    assert asked(date(2026, 1, 1)) is not None
