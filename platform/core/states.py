"""State tables, and the one way to change a state.

A feature writes its table in ``rules.py``: ``{(State.QUEUED, Move.CLAIM): State.RUNNING}``. What
stands in it is the list of buttons, what does not stand in it is refused, and a trigger in the
database says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

S = TypeVar("S", bound=Enum)
M = TypeVar("M", bound=Enum)
Row = TypeVar("Row", bound=Model)


class UnknownMove(Exception):
    """The table has no such move. A programmer's error, never a user's."""


def moves_from(table: Mapping[tuple[S, M], S], state: S) -> list[M]:
    """The moves open in this state, in the order of the table."""
    return [move for (before, move) in table if before == state]


def sources_of(table: Mapping[tuple[S, M], S], move: M) -> list[S]:
    """The states from which this move may be made."""
    return [before for (before, known) in table if known == move]


def advance(
    rows: QuerySet[Row],
    table: Mapping[tuple[S, M], S],
    move: M,
    *,
    seen: S,
    **fields: Any,
) -> bool:
    """Make one move on the one row in ``rows``, if it is still in the state the caller saw.

    Returns False when somebody was quicker: the WHERE repeats the state, so that two movers can
    never both win. Named fields only; the rest of the row is not touched.
    """
    try:
        after = table[seen, move]
    except KeyError:
        raise UnknownMove(f"{move} is no move from {seen}") from None
    return rows.filter(state=seen.value).update(state=after.value, **fields) == 1
