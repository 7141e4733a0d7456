"""Celery shells: no task carries a payload, each may be lost or doubled."""

from __future__ import annotations

import psycopg
from celery import shared_task
from django.db import DatabaseError

from generation.jobs.commands import lapse_held_jobs
from generation.jobs.queries import lanes_waiting
from generation.worker.identity import this_worker
from generation.worker.rendering import lanes_served, render_next
from generation.worker.waiting import wait_for_ring
from generation.worker.watchdog import sweep_stray_files, watch_leases

WAIT_S = 30.0


@shared_task(name="generation.render")
def render_waiting() -> None:
    """Render until nobody waits, then listen for a while before giving the slot back."""
    worker = this_worker()
    while True:
        while render_next(worker):
            pass
        try:
            if not wait_for_ring(WAIT_S, is_there_work=lambda: bool(lanes_waiting(lanes_served()))):
                return
        except (DatabaseError, psycopg.Error):
            return  # the database restarts; the next doorbell looks again


@shared_task(name="generation.watch")
def watch() -> None:
    watch_leases()


@shared_task(name="generation.lapse")
def lapse() -> None:
    lapse_held_jobs()


@shared_task(name="generation.sweep")
def sweep() -> None:
    sweep_stray_files()
