"""Saying and delivering.

``say`` writes a row beside the change and, once that is committed, rings: an autocommit
``pg_notify`` for live pages and workers that wait, and the Celery doorbell. Both rings may be
lost; the row is the truth and sweeps look again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.clock import now
from core.outbox.models import OutboxCursor, OutboxMessage

log = logging.getLogger("greenroom.outbox")

CHANNEL = "greenroom"
BATCH = 100
LONGEST_PAUSE = timedelta(minutes=10)

Listener = Callable[[OutboxMessage], None]
LISTENERS: dict[str, Listener] = {}
BELLS: list[Callable[[str], None]] = []


def listener(name: str) -> Callable[[Listener], Listener]:
    """Register a function that hears every message, in commit order, each exactly once.

    It runs in a savepoint of the transaction that moves its cursor: what it writes to the
    database is there exactly once. What it does outside must bear repeating (use ``message.id``).
    """

    def keep(function: Listener) -> Listener:
        LISTENERS[name] = function
        return function

    return keep


def say(kind: str, *, subject: tuple[str, UUID], party: UUID | None = None, **facts: Any) -> None:
    thing, subject_id = subject
    OutboxMessage.objects.create(
        kind=kind, party_id=party, subject_kind=thing, subject_id=subject_id, facts=facts
    )
    transaction.on_commit(lambda: ring(kind, thing, subject_id, party), robust=True)


def ring(kind: str, thing: str, subject_id: UUID, party: UUID | None) -> None:
    """After the commit, in its own transaction: NOTIFY takes a database-wide lock at commit."""
    payload = {"party": str(party) if party else None, "kind": thing, "id": str(subject_id)}
    notify({**payload, "said": kind})
    for bell in BELLS:
        bell(kind)


def notify(payload: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(payload)])


def deliver(name: str) -> int:
    """Give one listener what it has not heard yet; returns how many messages it heard.

    One transaction: lock the cursor, read below the watermark, let the listener write, move the
    cursor. Killed between any two lines, either all of it happened or none.
    """
    hear = LISTENERS[name]
    with transaction.atomic():
        cursor = _cursor_of(name)
        if cursor is None:
            return 0
        waiting = _after(cursor)
        heard, last = 0, None
        for message in waiting:
            if not _tell(hear, message, name):
                break
            heard, last = heard + 1, message
        if last is not None:
            OutboxCursor.objects.filter(listener=name).update(
                xid=last.xid, message_id=last.id, failures=0, retry_at=None
            )
        if heard < len(waiting):
            _pause(name, 0 if heard else cursor.failures)
    return heard


def _cursor_of(name: str) -> OutboxCursor | None:
    """The locked cursor, or None while another deliverer holds it or it waits after a failure."""
    OutboxCursor.objects.bulk_create(
        [OutboxCursor(listener=name, xid=0, message_id=UUID(int=0))], ignore_conflicts=True
    )
    return (
        OutboxCursor.objects.select_for_update(skip_locked=True)
        .filter(listener=name)
        .exclude(retry_at__gt=now())
        .first()
    )


def _after(cursor: OutboxCursor) -> list[OutboxMessage]:
    # Rows of transactions that still run are left for the next time: their ids may be lower than
    # some already read, and a cursor that went past them would lose them.
    return list(
        OutboxMessage.objects.raw(
            "SELECT * FROM core_outboxmessage"
            " WHERE (xid, id) > (%s::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())"
            " ORDER BY xid, id LIMIT %s",
            [str(cursor.xid), cursor.message_id, BATCH],
        )
    )


def _tell(hear: Listener, message: OutboxMessage, name: str) -> bool:
    try:
        with transaction.atomic():
            hear(message)
    except Exception:  # the outer loop of a deliverer: one listener's fault stops only itself
        log.exception("listener_failed", extra={"listener": name, "message_id": str(message.id)})
        return False
    return True


def _pause(name: str, failures: int) -> None:
    pause = min(timedelta(seconds=2**failures), LONGEST_PAUSE)
    OutboxCursor.objects.filter(listener=name).update(failures=failures + 1, retry_at=now() + pause)
