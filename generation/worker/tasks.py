"""Celery shells: no task carries a payload, each may be lost or doubled."""

from __future__ import annotations

from celery import shared_task

from generation.jobs.commands import lapse_held_jobs
from generation.worker.identity import this_device, this_worker
from generation.worker.serving import serve
from generation.worker.watchdog import sweep_stray_files, watch_leases

WAIT_S = 30.0


@shared_task(name="generation.render")
def render_waiting() -> None:
    serve(this_worker(this_device()), wait_s=WAIT_S)


@shared_task(name="generation.watch")
def watch() -> None:
    watch_leases()


@shared_task(name="generation.lapse")
def lapse() -> None:
    lapse_held_jobs()


@shared_task(name="generation.sweep")
def sweep() -> None:
    sweep_stray_files()
