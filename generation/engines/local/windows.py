"""A clip longer than its model makes at a time: windows in a row, each but the first beginning with
the last picture of the one before.

A model that was trained on clips of one length makes no longer ones: their places it never saw.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from generation.engines.local.checkpoint import Checkpoint
from generation.engines.local.family import Run
from generation.engines.local.keeping import Kept
from generation.engines.order import Condition, Order
from generation.engines.protocol import Frame


@dataclass(frozen=True, kw_only=True)
class Window:
    """``run`` is of this window alone, its frames counted from its own first; ``before`` of them
    are what the window before showed last. ``first`` is the clip's number of the next."""

    run: Run
    first: int = 0
    before: int = 0
    kept: Kept | None = None


def window_count(checkpoint: Checkpoint, frames: int) -> int:
    return 1 if checkpoint.window is None else max(1, (frames - 1) // (checkpoint.window - 1))


def window_of(whole: Run, kept: Kept | None, number: int, last: Frame | None) -> Window:
    """``last``: the picture that the window before ended with, as large as the model generates."""
    length, order = whole.checkpoint.window, whole.order
    if length is None or window_count(whole.checkpoint, order.frames) == 1:
        return Window(run=whole, kept=kept)
    step = length - 1
    pictures = [
        (picture, replace(one, frame=one.frame - number * step))
        for picture, one in whole.pictures
        if _number_of(one.frame, step) == number
    ]
    after = ""
    if last is not None:
        from PIL import Image

        after = hashlib.sha256(last.tobytes()).hexdigest()
        # It lies in memory, eight bits a colour, exactly as the viewer gets it.
        carried = Condition(path=Path("carried"), sha256=after, frame=0)
        pictures.insert(0, (Image.fromarray(last), carried))
    own = replace(order, frames=length, conditions=tuple(one for _picture, one in pictures))
    return Window(
        run=replace(whole, order=own, pictures=tuple(pictures)),
        first=number * step + (number > 0),
        before=int(number > 0),
        kept=None if kept is None else kept.of_window(number, after),
    )


def _number_of(frame: int, step: int) -> int:
    """Where two windows meet, the picture ends the earlier one, and so begins the later one."""
    return max(0, frame - 1) // step


def tokens(checkpoint: Checkpoint, order: Order, width: int, height: int) -> int:
    """Latent cells of the whole clip, what windows share counted twice: they are made twice."""
    grid, count = checkpoint.grid, window_count(checkpoint, order.frames)
    frames = order.frames if count == 1 or checkpoint.window is None else checkpoint.window
    cells = (frames - 1) // grid.temporal + 1
    return count * cells * (width // grid.spatial) * (height // grid.spatial)
