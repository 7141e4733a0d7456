"""Cursor pages: the next page begins after the last row shown, whatever arrived meanwhile.

A page is found by the values of a unique order (keyset), never by counting rows, so that no row
is shown twice or left out because others came or went. The cursor is opaque and signed: it fits
only the list that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from core.api.fields import Moment
from core.api.shapes import Shape
from core.errors import InvalidOrder

USUAL_LIMIT = 20
LARGEST_LIMIT = 100

Row = TypeVar("Row", bound=Model)


class PageWish(Shape):
    """What a list may be asked for; a list with filters extends it."""

    limit = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_LIMIT,
        default=USUAL_LIMIT,
        help_text=gettext_lazy("How many items a page has at most."),
    )
    cursor = serializers.CharField(
        required=False,
        help_text=gettext_lazy("“next” of the page before; without it, the first page."),
    )


class TimesWish(PageWish):
    """For lists of what was made at a time."""

    since = Moment(required=False, help_text=gettext_lazy("Only what is of this moment or later."))
    until = Moment(required=False, help_text=gettext_lazy("Only what is before this moment."))


def within(rows: QuerySet[Row], wish: dict[str, Any], column: str) -> QuerySet[Row]:
    """Those of the times that a valid ``TimesWish`` names."""
    if "since" in wish:
        rows = rows.filter(**{f"{column}__gte": wish["since"]})
    if "until" in wish:
        rows = rows.filter(**{f"{column}__lt": wish["until"]})
    return rows


def only(rows: QuerySet[Row], wish: dict[str, Any], **columns: str) -> QuerySet[Row]:
    """Those that a valid wish names: ``only(rows, wish, clip="clip_id")``. What it leaves out
    narrows nothing."""
    return rows.filter(**{column: wish[name] for name, column in columns.items() if name in wish})


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows and the cursor of the next page, None on the last."""

    rows: list[Row]
    next: str | None

    def shown(self, items: list[Any]) -> dict[str, Any]:
        return {"items": items, "next": self.next}


def page_of(rows: QuerySet[Row], wish: dict[str, Any], *, by: tuple[str, ...]) -> Page[Row]:
    """One page of ``rows`` in the order ``by`` (as for ``order_by``), which must be unique.

    ``by`` names columns, or annotations of ``rows`` that are never null. ``wish`` is a valid
    ``PageWish``. Raises ``InvalidOrder`` for a cursor of another list.
    """
    limit: int = wish["limit"]
    if wish.get("cursor"):
        rows = rows.filter(_after(by, _position(rows, by, wish["cursor"])))
    found = list(rows.order_by(*by)[: limit + 1])
    shown = found[:limit]
    return Page(shown, _cursor(rows, by, shown[-1]) if len(found) > limit else None)


def _after(by: tuple[str, ...], position: list[Any]) -> Q:
    """Rows after this position, written out: Django compares no rows of values in mixed order."""
    after, same = Q(), Q()
    for name, value in zip(by, position, strict=True):
        column, further = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        after |= same & Q(**{f"{column}__{further}": value})
        same &= Q(**{column: value})
    # Implied by the rest; it lets an index begin at the right place.
    column, further = by[0].lstrip("-"), "lte" if by[0].startswith("-") else "gte"
    return Q(**{f"{column}__{further}": position[0]}) & after


def _cursor(rows: QuerySet[Row], by: tuple[str, ...], last: Row) -> str:
    position = [_written(rows, name, last) for name in by]
    return _signer(rows, by).sign_object(position)


def _position(rows: QuerySet[Row], by: tuple[str, ...], cursor: str) -> list[Any]:
    try:
        position = _signer(rows, by).unsign_object(cursor)
    except BadSignature:
        raise InvalidOrder(
            "cursor_invalid",
            _("This cursor does not belong to this list. Begin with the first page."),
            field="cursor",
        ) from None
    return [_column(rows, name).to_python(value) for name, value in zip(by, position, strict=True)]


def _written(rows: QuerySet[Row], name: str, row: Row) -> str:
    if name.lstrip("-") in rows.query.annotations:
        return str(getattr(row, name.lstrip("-")))
    return _column(rows, name).value_to_string(row)


def _column(rows: QuerySet[Row], name: str) -> Field[Any, Any]:
    computed = rows.query.annotations.get(name.lstrip("-"))
    column = (
        computed.output_field if computed else rows.model._meta.get_field(name.lstrip("-"))  # noqa: SLF001
    )
    assert isinstance(column, Field)
    return column


def _signer(rows: QuerySet[Row], by: tuple[str, ...]) -> Signer:
    place = ".".join(("cursor", rows.model._meta.label_lower, *by))  # noqa: SLF001
    return Signer(sep=".", salt=place)
