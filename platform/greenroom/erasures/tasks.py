from __future__ import annotations

from celery import shared_task

from greenroom.erasures.commands import finish_erasures


@shared_task(name="erasures.finish")
def finish() -> None:
    finish_erasures()
