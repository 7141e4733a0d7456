"""The Celery ring: somebody asked for an export. A lost ring costs a minute."""

from __future__ import annotations

import logging

from celery import current_app

from core.outbox.commands import BELLS

log = logging.getLogger("greenroom.bell")


def ring(kind: str) -> None:
    if kind != "export.asked":
        return
    try:
        current_app.send_task("exports.build", ignore_result=True, retry=False)
    except Exception as away:  # noqa: BLE001  (each broker has its own; what is committed stands)
        log.warning("doorbell_failed", extra={"cause": f"{type(away).__name__}: {away}"})


BELLS.append(ring)
