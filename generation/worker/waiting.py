"""Waiting for work without a poll: a LISTEN of the worker's own."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from django.db import connection

from core.outbox.commands import CHANNEL


def wait_for_ring(seconds: float, *, is_there_work: Callable[[], bool]) -> bool:
    """Block until somebody rings, at most this long. True when there is something to look for.

    Listens first and looks second, so that a ring in between is not missed.
    """
    parameters = connection.get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(
        autocommit=True,
        application_name="greenroom-render-listen",
        **{name: parameters[name] for name in wanted if parameters.get(name)},
    ) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        if is_there_work():
            return True
        for _ring in ear.notifies(timeout=seconds, stop_after=1):
            return True
    return False
