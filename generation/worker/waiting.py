"""Waiting for work without a poll: a LISTEN of the worker's own."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
from django.db import connection

from core.outbox.commands import CHANNEL
from generation.worker.leaving import is_leaving

LOOK_EVERY_S = 0.5


def wait_for_ring(seconds: float, *, is_there_work: Callable[[], bool]) -> bool:
    """Block until there is work, at most this long. True when there is some.

    Listens first and looks second, so that a ring in between is not missed. Rings about other
    things (somebody's progress) come on the same channel and cost one look. A worker that is to
    end stops listening within LOOK_EVERY_S.
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
        until = time.monotonic() + seconds
        while not is_leaving() and (left := until - time.monotonic()) > 0:
            if any(is_there_work() for _ring in ear.notifies(timeout=min(left, LOOK_EVERY_S))):
                return True
        return False
