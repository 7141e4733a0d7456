"""What a job that extends a clip needs and does more than others: the last frame of that clip, and
a stream that begins with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from generation.engines.order import Condition, Order
from generation.engines.protocol import EngineFailure, FailureCode, Frame, Frames, Sound, Stage
from generation.jobs.models import Job
from generation.jobs.queries import extended_file_of
from generation.media.decoding import last_frame_of
from generation.media.stitching import stitched

LAST_FRAME = "last_frame.png"
Tick = Callable[[Stage, int, int], None]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The master of the clip that a job extends, surely the one that was ordered."""

    path: Path
    frames: int

    def begun(self, order: Order, folder: Path) -> Order:
        """The order with the picture that its clip begins with, which is left in ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LAST_FRAME
        Image.fromarray(last_frame_of(self.path)).save(path, "PNG")
        picture = Condition(path=path, sha256=_sha256(path), frame=0)
        return replace(order, conditions=(picture, *order.conditions))

    def followed_by(self, made: Frames, order: Order, tick: Tick) -> Iterator[Frame | Sound]:
        return stitched(
            self.path,
            made,
            frames=self.frames,
            rate=order.rate,
            passed=lambda number: tick(Stage.ENCODE, number, self.frames + 1),
        )


def beginning_of(job: Job, below: Path) -> Beginning | None:
    """None for a job that extends nothing; files lie ``below`` by their storage keys.

    Raises ``EngineFailure`` where the clip's file is gone, or is another than was ordered.
    """
    if job.extends_id is None:
        return None
    key, sha256 = extended_file_of(job)
    path = below / key
    try:
        found = _sha256(path)
    except OSError as error:
        raise EngineFailure(FailureCode.EXTENDED_MISSING, f"{key}: {error}") from error
    if found != sha256:
        raise EngineFailure(FailureCode.EXTENDED_MISSING, f"{key} is another file")
    return Beginning(path, job.frames_before)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
