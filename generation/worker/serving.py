"""What a worker does between two doorbells."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

import psycopg
from django.db import connection

from generation.jobs.queries import lanes_waiting
from generation.jobs.rules import LEASE
from generation.worker.carrying import clear_own_folder, is_welcome
from generation.worker.commands import announce
from generation.worker.identity import Worker
from generation.worker.leaving import is_leaving
from generation.worker.rendering import keep_warm, lanes_served, render_next
from generation.worker.waiting import wait_for_ring
from generation.worker.watch import DATABASE_AWAY

log = logging.getLogger("greenroom.worker")

PAUSE_S = 0.5  # between two looks of a slot, while the database or the web is away


def serve(worker: Worker, *, wait_s: float, lease: timedelta = LEASE) -> None:
    """Render until nobody waits, then listen this long before giving the slot back."""
    try:
        clear_own_folder()
        keep_warm(worker)
        while not is_leaving():
            if not is_welcome(worker):
                time.sleep(PAUSE_S)  # the next doorbell looks again
                return
            if render_next(worker, lease=lease):
                continue
            keep_warm(worker)
            if not wait_for_ring(wait_s, is_there_work=lambda: _is_there_work(worker)):
                return
    except (*DATABASE_AWAY, psycopg.OperationalError):
        log.warning("database_away", exc_info=True)
        connection.close()  # it restarts; the next doorbell looks again


def serve_slots(worker: Worker, *, wait_s: float) -> None:
    """As many jobs at once as the worker has slots, each in a thread with its own connection and
    engine: they wait for servers elsewhere and compute nothing. Returns when it is to leave."""

    def one_slot() -> None:
        while not is_leaving():
            try:
                serve(worker, wait_s=wait_s)
            except Exception:  # the outer loop of a slot: one job's fault ends only that job
                log.exception("slot_failed")
            finally:
                connection.close()
            time.sleep(PAUSE_S)

    slots = [threading.Thread(target=one_slot, name=f"slot-{n}") for n in range(worker.slots)]
    for slot in slots:
        slot.start()
    for slot in slots:
        slot.join()


def _is_there_work(worker: Worker) -> bool:
    """For this device: not what it may not take, or it would look for it without end."""
    lanes = lanes_served(worker)
    device_id = announce(worker, lanes)
    return bool(lanes_waiting(lanes, device_id=device_id))
