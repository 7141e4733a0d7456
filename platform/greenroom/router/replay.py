"""What happened to a party, as its live streams tell it: in order, each event once, and again after
a connection was lost.

The outbox is the truth. Its rows are read in the order (transaction, id) and only below the
watermark, under which no transaction still runs: ids are handed out before the commit, so that
"greater than the last I saw" would lose rows. A place in that order is an event's id on the stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.webhooks.events import TABLE, EventType, body_of, data_of, event_of
from core.ids import read_id, shown
from core.outbox.models import OutboxMessage

REPLAYED_AT_MOST = 500
"""Whoever missed more than this is told so, and begins with the present."""

_SHAPE = re.compile(r"(?P<xid>0|[1-9][0-9]{0,18})-(?P<id>[0-7][0-9a-hjkmnp-tv-z]{25})\Z")
_LARGEST_XID = 2**63 - 1

KINDS = sorted({each.kind for each in TABLE})
"""Of the outbox: what webhooks are told of is what streams tell."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the outbox: everything up to and with this row was read."""

    xid: int
    message_id: UUID

    def __str__(self) -> str:
        return f"{self.xid}-{shown('event', self.message_id).removeprefix('evt_')}"


def before(xid: int) -> Position:
    """After all that earlier transactions wrote, and before anything of this one."""
    return Position(xid, UUID(int=0))


def read_position(text: str) -> Position | None:
    """What ``str`` of one gave, else None."""
    found = _SHAPE.match(text)
    if found is None or int(found["xid"]) > _LARGEST_XID:
        return None
    message_id = read_id("event", f"evt_{found['id']}")
    return None if message_id is None else Position(int(found["xid"]), message_id)


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of the outbox, and the programme that its subject belongs to, if to any."""

    xid: int
    message_id: UUID
    at: datetime
    kind: str
    subject_id: UUID
    facts: Mapping[str, Any]
    programme_id: UUID | None

    @property
    def position(self) -> Position:
        return Position(self.xid, self.message_id)

    @property
    def type(self) -> EventType | None:
        """None for what nobody outside is told of."""
        return event_of(OutboxMessage(kind=self.kind, facts=self.facts))

    def event(self, type_: EventType) -> bytes:
        """The same body that a webhook gets, by the same id."""
        body = body_of(
            shown("event", self.message_id),
            type_.type,
            int(self.at.timestamp()),
            data_of(type_, self.subject_id, self.facts),
        )
        return written(type_.type, body, self.position)


@dataclass(frozen=True, slots=True)
class News:
    """An answer about one party: its rows after a position, in order; up to where everything is
    known; whether more is committed already that cannot be read in order yet; and whether there
    is more than was asked for."""

    happenings: list[Happening]
    until: Position
    is_held_back: bool = False
    is_cut: bool = False


def written(name: str, content: Mapping[str, Any], position: Position | None = None) -> bytes:
    where = f"id: {position}\n" if position else ""
    return f"event: {name}\ndata: {json.dumps(content)}\n{where}\n".encode()
