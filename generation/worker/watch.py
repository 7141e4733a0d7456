"""The link between the rendering thread and the lease.

The rendering thread only writes down where it is and looks at a flag. A second thread, with a
database connection of its own, renews the lease twice a second and hears whether to go on.
"""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

from generation.engines.protocol import Stage, Stopped, Watch
from generation.worker.commands import Claim, renew_lease, tell_progress
from generation.worker.rules import HEARTBEAT_S, PATIENCE, TIME_LIMIT, Verdict

log = logging.getLogger("greenroom.worker")

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What a restarting database answers; every other error would come again."""


class LeaseWatch(Watch):
    """Hand it to an engine as its ``Watch``; use it as a context so that the heartbeat ends."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.verdict = Verdict.GOES_ON
        self.steps_done = 0
        self._stage = Stage.LOAD.value
        self._began = self._ticked = time.monotonic()
        self._told = ("", -1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> Self:
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

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Called hundreds of times a second: two assignments and a look at a flag."""
        self._ticked = time.monotonic()
        self._stage = stage.value
        if stage is Stage.DENOISE:
            self.steps_done = step
        if self.verdict is not Verdict.GOES_ON:
            raise Stopped(self.verdict.value)

    @property
    def device_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    def _beat(self) -> None:
        try:
            while not self._over.wait(HEARTBEAT_S):
                if time.monotonic() - self._ticked > PATIENCE.total_seconds():
                    # The engine hangs. Let the lease run out; the watchdog ends this process.
                    log.error("engine_hangs", extra={"job": str(self.claim.job.id)})
                    return
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        try:
            verdict = renew_lease(self.claim, stage=self._stage, steps_done=self.steps_done)
            if (self._stage, self.steps_done) != self._told:
                self._told = (self._stage, self.steps_done)
                tell_progress(self.claim)
        except DATABASE_AWAY:
            # The database restarts: go on rendering, and ask again. The fence decides in the end.
            log.warning("lease_not_renewed", exc_info=True)
            connection.close()
            return
        if verdict is Verdict.GOES_ON and self.device_ms > TIME_LIMIT.total_seconds() * 1000:
            verdict = Verdict.TIME_UP
        self.verdict = verdict
