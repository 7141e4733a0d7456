"""Time comes from the database: ``core_now()``, in production the transaction's ``now()``.

A command reads it once and passes it down. Tests replace the SQL function by one that reads a
test clock, so that web, workers, browser and triggers all share it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Func


class CoreNow(Func):
    """``core_now()`` as an expression: for ``db_default``, filters and updates."""

    function = "core_now"
    arity = 0
    output_field = DateTimeField()


def now() -> datetime:
    """The database's time; inside a transaction, the time at which it began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT core_now()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
