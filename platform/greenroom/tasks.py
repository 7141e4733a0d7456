"""Celery's shell around the outbox's deliverer."""

from __future__ import annotations

from celery import shared_task

from core.outbox.commands import LISTENERS, deliver


@shared_task(name="greenroom.deliver")
def deliver_outbox() -> None:
    for name in LISTENERS:
        while deliver(name):
            pass
