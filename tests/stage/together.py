"""Several at once: real connections, opened before anybody starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

PATIENCE_S = 120


def wait_until(question: Callable[[], Any]) -> None:
    """Until the answer is true. Fails after two minutes, which is far beyond any real wait."""
    over = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < over, "waited in vain"
        time.sleep(0.005)


def at_once(how_many: int, deed: Callable[[int], Any]) -> list[Any]:
    """``deed(0)`` … ``deed(how_many - 1)``, each in a thread with a Django connection of its own.

    Nobody starts before all are connected. Answers come in order; what a deed raised stands in
    its place. Needs a transactional test: the others' rows must be committed to be seen.
    """
    ready = threading.Barrier(how_many)

    def one(number: int) -> Any:
        try:
            connection.ensure_connection()
            ready.wait(PATIENCE_S)
            return deed(number)
        except Exception as raised:  # noqa: BLE001  (the answer is the exception)
            return raised
        finally:
            connection.close()

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(one, range(how_many)))


@pytest.fixture(name="at_once")
def _at_once(transactional_db: None, django_db_blocker: Any) -> Callable[..., list[Any]]:
    return at_once
