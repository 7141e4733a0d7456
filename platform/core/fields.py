"""Column types that Django lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Func, UUIDField
from django.db.models.expressions import DatabaseDefault

from core.ids import new_id

# Django's fields are generic only for the type checker.
if TYPE_CHECKING:
    AnyField = Field[Any, Any]
else:
    AnyField = Field


class XidField(AnyField):
    """PostgreSQL's ``xid8``: the 64-bit id of the transaction that wrote the row.

    Readers that must not miss a row order by it and stop below ``pg_snapshot_xmin``: sequence and
    UUID values are handed out before the commit, so "greater than the last I saw" skips rows.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "xid8"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        # Inserts leave the value to the database's default.
        return value if value is None or isinstance(value, DatabaseDefault) else str(value)


class ThisTransaction(Func):
    """The id of the transaction that runs."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = XidField()


def id_field() -> UUIDField[Any, Any]:
    """The primary key of nearly every table: a UUIDv7 made in Python."""
    return UUIDField(primary_key=True, default=new_id, editable=False)
