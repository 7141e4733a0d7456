"""The link between the rendering thread and the lease.

The rendering thread only writes down where it is and looks at a flag. A second thread, with a
database connection of its own, renews the lease twice a second and hears whether to go on.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import nullcontext
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from PIL import Image

from generation.engines.protocol import Frame, Stage, Stopped, Watch
from generation.jobs.folder import job_folder
from generation.jobs.rules import PREVIEW
from generation.placement.commands import see_device
from generation.placement.rules import SEEN_EVERY
from generation.worker.commands import Claim, renew_lease, tell_progress
from generation.worker.pulse import Pulse
from generation.worker.rules import (
    GRACE_S,
    HEARTBEAT_S,
    LOAD_LIMIT_S,
    PREVIEW_EVERY_S,
    PREVIEW_QUALITY,
    SPOILED,
    TIME_LIMIT,
    StepLimits,
    Verdict,
)

log = logging.getLogger("greenroom.worker")

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What a restarting database answers; every other error would come again."""


class LeaseWatch(Watch):
    """Hand it to an engine as its ``Watch``; use it as a context so that the heartbeat ends."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.verdict = Verdict.GOES_ON
        self.steps_done = 0
        self._stage = Stage.LOAD
        self._began = time.monotonic()
        self._here = (Stage.LOAD, -1)
        self._limits: StepLimits | None = None
        self._longest_s = 0.0
        # When it last came a step further and how long the next may take: replaced as one.
        self._progress = (self._began, LOAD_LIMIT_S)
        self._progress_told = self._progress
        self._previews = 0
        self._previewed = -PREVIEW_EVERY_S
        self._seen = self._began
        self._told = ("", -1, 0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        # One that waits beside others ends nobody's process.
        self._pulse = nullcontext() if claim.is_shared else Pulse()

    def __enter__(self) -> Self:
        self._pulse.__enter__()
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
        self._pulse.__exit__(kind, error, trace)

    def expect(self, limits: StepLimits) -> None:
        """From here on this is how long a step may take: the model is loaded."""
        self._limits = limits
        self._step_on(self._stage, -1, 0)

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Called hundreds of times a second: an assignment, a comparison, a look at a flag."""
        self._stage = stage
        if stage is Stage.DENOISE:
            self.steps_done = self._share(step, steps)
        if (stage, step) != self._here:
            self._step_on(stage, step, steps)
        if self.verdict is not Verdict.GOES_ON:
            raise Stopped(self.verdict.value)

    def _share(self, step: int, steps: int) -> int:
        """In the steps that were ordered and are charged: a clip of four windows takes four times
        as many, and is half done after half of them."""
        ordered = self.claim.job.steps
        return step if steps in (0, ordered) else step * ordered // steps

    def _step_on(self, stage: Stage, step: int, steps: int) -> None:
        moment = time.monotonic()
        if self._here[0] is not Stage.LOAD:
            self._longest_s = max(self._longest_s, moment - self._progress[0])
        self._here = (stage, step)
        limit_s = LOAD_LIMIT_S
        if self._limits is not None:
            is_over = step >= steps > 0
            limit_s = self._limits.of(stage, is_over=is_over, longest_s=self._longest_s)
        self._progress = (moment, limit_s)

    def wants_preview(self) -> bool:
        return time.monotonic() - self._previewed >= PREVIEW_EVERY_S

    def preview(self, picture: Frame) -> None:
        """For the owner's eyes, while the job runs; the heartbeat tells that there is a new one."""
        self._previewed = time.monotonic()
        folder = job_folder(self.claim.job.id)
        partial = folder / f".{PREVIEW}.partial"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(partial, "WEBP", quality=PREVIEW_QUALITY)
            partial.replace(folder / PREVIEW)
        except OSError:  # a full disk ends no clip for want of a preview
            log.warning("preview_not_kept", exc_info=True)
        else:
            self._previews += 1

    @property
    def device_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    def _beat(self) -> None:
        try:
            while not self._over.wait(HEARTBEAT_S):
                self._leave_if_stuck()
                self._renew()
        finally:
            connection.close()

    def _renewed(self) -> Verdict:
        progress, told = self._progress, self._progress_told
        stepped_at, limit_s = progress
        verdict = renew_lease(
            self.claim,
            stage=self._stage.value,
            steps_done=self.steps_done,
            stepped_s_ago=time.monotonic() - stepped_at if progress is not told else None,
            step_limit_s=limit_s if progress is not told else None,
        )
        self._progress_told = progress
        if self.claim.device_id:
            self._see(self.claim.device_id)
        return verdict

    def _see(self, device_id: UUID) -> None:
        """The heartbeat goes on while a clip takes an hour; the device is seen meanwhile."""
        if time.monotonic() - self._seen >= SEEN_EVERY.total_seconds():
            self._seen = time.monotonic()
            see_device(device_id)

    def _leave_if_stuck(self) -> None:
        """The watchdog of this machine ends it sooner; where there is none, it ends itself.

        One that only waits for a server elsewhere shares its process with others, and hears at its
        next look that its lease is lost.
        """
        stepped_at, limit_s = self._progress
        if self.claim.is_shared or time.monotonic() - stepped_at < limit_s + GRACE_S:
            return
        log.critical("engine_stalled", extra={"job": str(self.claim.job.id)})
        os._exit(SPOILED)

    def _renew(self) -> None:
        try:
            verdict = self._renewed()
            news = (self._stage.value, self.steps_done, self._previews)
            if news != self._told:
                self._told = news
                tell_progress(self.claim)
        except DATABASE_AWAY:
            # The database restarts: go on rendering, and ask again. The fence decides in the end.
            log.warning("lease_not_renewed", exc_info=True)
            connection.close()
            return
        if verdict is Verdict.GOES_ON and self.device_ms > TIME_LIMIT.total_seconds() * 1000:
            verdict = Verdict.TIME_UP
        self.verdict = verdict
