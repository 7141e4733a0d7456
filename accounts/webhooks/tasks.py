from __future__ import annotations

from celery import shared_task

from accounts.webhooks.delivering import deliver_unless_somebody_does


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    deliver_unless_somebody_does()
