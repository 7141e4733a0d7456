"""python -m greenroom.parent.worker QUEUE CHILDREN: a worker whose pool dies with it.

``remote SLOTS`` is no pool: one process that waits for servers elsewhere, without Celery, since it
hears of new jobs by itself.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from celery.signals import worker_process_init, worker_shutting_down

from generation.worker.leaving import leave
from greenroom.embedded.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "greenroom.settings")


@worker_process_init.connect
def _tie_to_worker(**_: Any) -> None:
    # A pool child whose worker was killed outright would otherwise go on rendering for nobody.
    die_with_parent()


@worker_shutting_down.connect
def _stop_waiting(**_: Any) -> None:
    # A warm stop waits for running tasks, and the render task listens for half a minute.
    leave()


def work(queue: str, children: str) -> None:
    from greenroom.celery import app

    app.worker_main(
        [
            "worker",
            f"--queues={queue}",
            f"--hostname={queue}@%h",
            "--pool=prefork",
            f"--concurrency={children}",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=INFO",
        ]
    )


def wait_for_servers(slots: int) -> None:
    """Until SIGTERM; what is under way ends first."""
    import django

    django.setup()
    from generation.placement.rules import REMOTE
    from generation.worker.identity import this_worker
    from generation.worker.serving import serve_slots
    from generation.worker.tasks import WAIT_S
    from greenroom.checks import refuse_unsafe_start

    refuse_unsafe_start()
    signal.signal(signal.SIGTERM, lambda _number, _frame: leave())
    serve_slots(this_worker(REMOTE, slots), wait_s=WAIT_S)


if __name__ == "__main__":
    if sys.argv[1] == "remote":
        wait_for_servers(int(sys.argv[2]))
    else:
        work(sys.argv[1], sys.argv[2])
