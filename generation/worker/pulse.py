"""A process whose threads no longer turn ends itself.

A call that holds the interpreter's lock and never returns stops the heartbeat too. The lease runs
out and the job goes elsewhere, but where no watchdog runs on this machine nobody would end the
process, and its device would serve nobody. faulthandler's timer is a thread of C: it needs no lock.
"""

from __future__ import annotations

import faulthandler
import threading
from types import TracebackType
from typing import Self

BEAT_S = 1.0
LIMIT_S = 90.0  # three leases: the job is somebody else's by then
_STDERR = 2


class Pulse:
    """One at a time in a process: the timer is the process's own."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        _set()  # the very first call may be the one that never returns
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            _set()
        faulthandler.cancel_dump_traceback_later()


def _set() -> None:
    faulthandler.dump_traceback_later(LIMIT_S, exit=True, file=_STDERR)
