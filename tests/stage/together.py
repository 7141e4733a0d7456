"""Several at once: real connections, opened before anybody starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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
    answers: list[Any] = [None] * how_many

    def one(number: int) -> None:
        try:
            connection.ensure_connection()
            ready.wait(PATIENCE_S)
            answers[number] = deed(number)
        except Exception as raised:  # noqa: BLE001  (the answer is the exception)
            answers[number] = raised
        finally:
            connection.close()

    # Daemons: one that never comes back must not keep the test process from ending.
    threads = [threading.Thread(target=one, args=[each], daemon=True) for each in range(how_many)]
    for thread in threads:
        thread.start()
    over = time.monotonic() + PATIENCE_S
    for thread in threads:
        thread.join(max(0.0, over - time.monotonic()))
    assert not [thread for thread in threads if thread.is_alive()], "some never came to an end"
    return answers


@pytest.fixture(name="at_once")
def _at_once(transactional_db: None, django_db_blocker: Any) -> Callable[..., list[Any]]:
    return at_once
