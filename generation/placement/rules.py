"""When a device takes jobs, when it is taken out, and how long a step may take."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.db.models import TextChoices

DEATHS = 3  # in a row: then the device, and not the jobs, is what fails
SEEN_EVERY = timedelta(seconds=30)
SEEN_WITHIN = timedelta(minutes=2)  # generation_may_take says the same
EVERY_TIER = ""
REMOTE = "remote"


class DeviceState(TextChoices):
    SERVING = "serving"
    DRAINING = "draining"
    OUT = "out"


class Move(StrEnum):
    DRAIN = "drain"
    SERVE = "serve"
    TAKE_OUT = "take_out"


# The trigger generation_device_law says the same; a test compares them.
MOVES: dict[tuple[DeviceState, Move], DeviceState] = {
    (DeviceState.SERVING, Move.DRAIN): DeviceState.DRAINING,
    (DeviceState.SERVING, Move.TAKE_OUT): DeviceState.OUT,
    (DeviceState.DRAINING, Move.SERVE): DeviceState.SERVING,
    (DeviceState.DRAINING, Move.TAKE_OUT): DeviceState.OUT,
    (DeviceState.OUT, Move.SERVE): DeviceState.SERVING,
}


def is_remote(device: str) -> bool:
    """Whether what bears this name only waits for a server elsewhere."""
    return device == REMOTE or device.startswith(f"{REMOTE}:")


def is_placed(placements: list[tuple[str, str]], slug: str, tier: str) -> bool:
    """A device without placements serves whatever is ready on it."""
    return not placements or (slug, EVERY_TIER) in placements or (slug, tier) in placements
