"""A Celery shell: it carries no payload and may be lost or doubled."""

from __future__ import annotations

from celery import shared_task

from core.sweeps import sweep_all
from generation.clips.commands import finish_removals
from review.retention.commands import finish_retention, stop_overtaken, warn_owners


@shared_task(name="review.retain")
def retain() -> None:
    sweep_all(stop_overtaken, finish_retention, finish_removals, warn_owners)
