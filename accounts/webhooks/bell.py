"""The Celery ring: there is something to deliver. A lost ring costs seconds."""

from __future__ import annotations

import logging

from celery import current_app

log = logging.getLogger("greenroom.bell")


def ring() -> None:
    try:
        current_app.send_task("webhooks.deliver", ignore_result=True, retry=False)
    except Exception as away:  # noqa: BLE001  (each broker has its own; what is committed stands)
        log.warning("doorbell_failed", extra={"cause": f"{type(away).__name__}: {away}"})
