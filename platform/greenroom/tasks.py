"""Celery's shell around the outbox's deliverer; and where Celery finds this floor's other tasks."""

from __future__ import annotations

from celery import shared_task

from core.outbox.commands import LISTENERS, deliver
from greenroom.erasures.tasks import finish as finish_erasures
from greenroom.exports.tasks import build as build_exports
from greenroom.exports.tasks import sweep as sweep_exports

__all__ = ["build_exports", "deliver_outbox", "finish_erasures", "sweep_exports"]


@shared_task(name="greenroom.deliver")
def deliver_outbox() -> None:
    for name in LISTENERS:
        while deliver(name):
            pass
