"""The Celery application. Its messages are doorbells; no task carries a payload."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "greenroom.settings")

app = Celery("greenroom")
app.config_from_object("greenroom.schedule")
app.autodiscover_tasks(["generation", "accounts", "review", "greenroom"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Django configured logging already; Celery would put its own in its place."""


@worker_init.connect
def refuse_unsafe(**_: object) -> None:
    from greenroom.checks import refuse_unsafe_start

    refuse_unsafe_start()
