"""Time comes from the database: ``core_now()``, in production the transaction's ``now()``.

A command reads it once and passes it down. Tests replace the SQL function by one that reads a
test clock, so that web, workers, browser and triggers all share it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import connection
from django.db.models import DateTimeField, Func
from django.utils.translation import gettext as _

from core.errors import InvalidOrder

# Far from the ends of the calendar, where moving a moment to another zone fails.
FIRST_YEAR, LAST_YEAR = 1970, 2200


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


def is_in_range(moment: date) -> bool:
    """Of a day or a moment that came in: whether every zone and page can say it."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def must_be_in_range(*moments: date | None, field: str) -> None:
    """Raises ``InvalidOrder`` for a day or a moment that nobody can mean."""
    if not all(moment is None or is_in_range(moment) for moment in moments):
        raise InvalidOrder(
            "moment_out_of_range",
            _("Dates lie between the years %(first)s and %(last)s.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR},
            field=field,
        )


def in_utc(moment: datetime) -> str:
    """As documents write it that are read for years: RFC 3339 in UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
