"""What a document of an archive is, and who reads their own things to make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.credentials.queries import Actor
from core.ids import PREFIXES, shown

AT_ONCE = 500
NOBODY = UUID(int=0)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """``rows`` are read one after the other while they are written. ``tables`` are those whose
    rows of this person it holds: ``docs/personal_data.md`` promises no others."""

    name: str
    words: Any
    rows: Callable[[Actor], Iterable[Row]]
    tables: tuple[str, ...]


def reader_of(party_id: UUID, programme_id: UUID | None = None) -> Actor:
    """The party itself, for queries about what is its own. It carries no right to do anything."""
    return Actor(
        credential_id=NOBODY,
        key_id="",
        lineage_id=NOBODY,
        party_id=party_id,
        programme_id=programme_id,
        scopes=frozenset(),
    )


def each(rows: QuerySet[Any]) -> Iterator[Any]:
    """Some at a time, however many there are."""
    return rows.iterator(chunk_size=AT_ONCE)


def id_of(thing: str, value: UUID | None) -> str | None:
    """As pages and programs show it; None for nothing, and for things that have no such face."""
    return shown(thing, value) if value and thing in PREFIXES else None
