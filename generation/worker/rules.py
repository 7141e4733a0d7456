"""Why a run stops, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from generation.engines.protocol import Stage

HEARTBEAT_S = 0.5
PREVIEW_EVERY_S = 2.0
PREVIEW_QUALITY = 80
TIME_LIMIT = timedelta(hours=1)  # of one attempt

LOAD_LIMIT_S = 600  # from the claim to the first stage: a large model on a slow disk
FINISH_LIMIT_S = 600  # after the last frame: the encoder's rest, a sheet, a proxy
LEAST_STEP_S, LEAST_LIMIT_S = 10, 60
OTHER_STEPS = 4  # what load, prompt and decode are worth, in steps of the denoiser
TOO_LONG = 3
SPOILED = 70  # the exit status of a process that should take no further job
GRACE_S = 30.0  # where no watchdog of this machine ended it, it ends itself


class Verdict(StrEnum):
    """What a renewal of the lease answers."""

    GOES_ON = "goes_on"
    CANCEL = "cancel"  # the owner asked for it
    HOLD = "hold"  # the credential behind it was revoked or quarantined
    LOST = "lost"  # another worker has the job, or it is over
    TIME_UP = "time_up"


@dataclass(frozen=True, slots=True)
class StepLimits:
    """How long a run may stay where it is, by what it does, in seconds."""

    denoise_s: int
    other_s: int  # prompt and decode: one long step each

    def of(self, stage: Stage, *, is_over: bool, longest_s: float) -> int:
        """``longest_s``: the longest step this run took so far, which outweighs an estimate."""
        if stage is Stage.LOAD:
            return LOAD_LIMIT_S
        if is_over and stage in (Stage.DECODE, Stage.ENCODE):
            return FINISH_LIMIT_S
        usual = self.denoise_s if stage is Stage.DENOISE else self.other_s
        return max(usual, math.ceil(TOO_LONG * longest_s))


def step_limits(seconds_high: float, steps: int, *, is_slow_to_begin: bool) -> StepLimits:
    """From the upper end of an engine's estimate: a step that takes three times as long hangs.

    One that is slow to begin compiles kernels in its first steps, or waits in a server's queue.
    """
    expected = max(LEAST_STEP_S, seconds_high / (steps + OTHER_STEPS))
    further = LOAD_LIMIT_S if is_slow_to_begin else 0
    denoise = max(LEAST_LIMIT_S, math.ceil(TOO_LONG * expected)) + further
    return StepLimits(denoise, max(denoise, math.ceil(seconds_high)))
