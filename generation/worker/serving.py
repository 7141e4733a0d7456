"""What a worker does between two doorbells."""

from __future__ import annotations

import logging
from datetime import timedelta

import psycopg
from django.db import connection

from generation.jobs.queries import lanes_waiting
from generation.jobs.rules import LEASE
from generation.worker.identity import Worker
from generation.worker.leaving import is_leaving
from generation.worker.rendering import lanes_served, render_next
from generation.worker.waiting import wait_for_ring
from generation.worker.watch import DATABASE_AWAY

log = logging.getLogger("greenroom.worker")


def serve(worker: Worker, *, wait_s: float, lease: timedelta = LEASE) -> None:
    """Render until nobody waits, then listen this long before giving the slot back."""
    try:
        while not is_leaving():
            while not is_leaving() and render_next(worker, lease=lease):
                pass
            if not wait_for_ring(wait_s, is_there_work=_is_there_work):
                return
    except (*DATABASE_AWAY, psycopg.OperationalError):
        log.warning("database_away", exc_info=True)
        connection.close()  # it restarts; the next doorbell looks again


def _is_there_work() -> bool:
    return bool(lanes_waiting(lanes_served()))
