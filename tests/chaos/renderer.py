"""Render workers without Celery, forked from one process that has imported everything.

A line on standard input starts one: ``{"lease_s": 3, "machine": null, "most_bytes": null,
"device": "cpu", "hangs": false, "seizes": false, "limits": {}}``; its process id is the answer.
They serve until somebody kills them, or this process ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any, NoReturn

import django

from greenroom.embedded.processes import die_with_parent

LOOKS_AGAIN_AFTER_S = 0.3  # in the house a sweep rings again every few seconds


def main() -> None:
    django.setup()
    from generation.engines.registry import engine

    engine("still")  # and all it imports
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no zombies
    stem = os.getpid()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _work(stem, **json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _work(
    stem: int,
    *,
    lease_s: float,
    machine: str | None,
    most_bytes: int | None,
    device: str,
    hangs: bool,
    seizes: bool,
    limits: dict[str, float],
) -> NoReturn:
    from generation.worker.identity import this_worker
    from generation.worker.serving import serve

    die_with_parent(signal.SIGKILL)
    if os.getppid() != stem:
        os._exit(1)  # it was killed before the kernel knew of the wish above
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    if hangs:
        _hang_in_the_second_step(seizes=seizes)
    for name, seconds in limits.items():
        module, _, constant = name.rpartition(".")
        setattr(import_module(module), constant, seconds)
    worker: Any = this_worker(device)
    if machine is not None:
        worker = replace(worker, machine=machine)
    while True:
        serve(worker, wait_s=LOOKS_AGAIN_AFTER_S, lease=timedelta(seconds=lease_s))
        time.sleep(0.05)


def _hang_in_the_second_step(*, seizes: bool) -> None:
    """The engine of this process sleeps for ever in mid-clip; its heartbeat goes on, unless the
    sleeper seizes the interpreter's lock."""
    from generation.engines.protocol import Frames, Stage, Watch
    from generation.engines.still import StillEngine
    from generation.worker import rendering

    class Hangs(StillEngine):
        def render(self, order: Any, watch: Watch, *, kept: Any = None) -> Frames:
            watch.tick(Stage.DENOISE, 1, order.steps)
            if seizes:
                ctypes.PyDLL(None).sleep(10_000)
            while True:
                time.sleep(0.1)
                watch.tick(Stage.DENOISE, 1, order.steps)
            yield  # a generator, as every engine's

    rendering.ENGINES["still"] = Hangs()


if __name__ == "__main__":
    main()
