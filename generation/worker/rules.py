"""Why a run stops, and what follows from it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

HEARTBEAT_S = 0.5
PATIENCE = timedelta(minutes=5)  # without any tick: the engine hangs, the lease is let go
TIME_LIMIT = timedelta(hours=1)  # of one attempt


class Verdict(StrEnum):
    """What a renewal of the lease answers."""

    GOES_ON = "goes_on"
    CANCEL = "cancel"  # the owner asked for it
    HOLD = "hold"  # the credential behind it was revoked or quarantined
    LOST = "lost"  # another worker has the job, or it is over
    TIME_UP = "time_up"
