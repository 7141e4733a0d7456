"""A Celery shell: what is idle goes by the programme's terms, what is due off the disk."""

from __future__ import annotations

from celery import shared_task

from core.sweeps import sweep_all
from generation.references.commands import clear_references, remove_idle_references


@shared_task(name="references.sweep")
def sweep_references() -> None:
    sweep_all(remove_idle_references, clear_references)
