"""A frame's own number, drawn into it so that it survives H.264: how a test proves an exact seek.

Twelve square cells at the bottom left, side ``cell_side`` (8 px and up), light or dark: one always
light, ten bits of the number (most significant first), one that makes the count of light cells
among the last eleven even. Read the middle of each cell: luma above 128 is light.
"""

from __future__ import annotations

import numpy as np

from generation.engines.protocol import Frame

BITS = 10
CELLS = BITS + 2
MOST_FRAMES = 2**BITS
_HALF = 128
_LIGHT = np.array((236, 232, 222), np.uint8)
_DARK = np.array((22, 24, 28), np.uint8)


class FrameNumberUnreadable(ValueError):
    """No code in this picture, or one damaged beyond its parity."""


def cell_side(width: int, height: int) -> int:
    return 8 * max(1, min(width, height) // 360)


def draw_frame_number(frame: Frame, number: int) -> None:
    """In place. ``number`` 0 … 1023."""
    if not 0 <= number < MOST_FRAMES:
        raise ValueError(f"frame numbers end at {MOST_FRAMES - 1}")
    height, width = frame.shape[:2]
    side = cell_side(width, height)
    for place, is_light in enumerate(_cells(number)):
        frame[height - side :, place * side : (place + 1) * side] = _LIGHT if is_light else _DARK


def read_frame_number(frame: Frame) -> int:
    """The number in a picture of the size it was drawn at; ``FrameNumberUnreadable``."""
    height, width = frame.shape[:2]
    side = cell_side(width, height)
    quarter = side // 4
    middle = frame[height - side + quarter : height - quarter, : CELLS * side]
    cells = [
        bool(middle[:, place * side + quarter : (place + 1) * side - quarter].mean() > _HALF)
        for place in range(CELLS)
    ]
    number = int("".join("01"[bit] for bit in cells[1:-1]), 2)
    if cells != _cells(number):
        raise FrameNumberUnreadable("no frame code at the bottom left")
    return number


def _cells(number: int) -> list[bool]:
    bits = [bool(number >> place & 1) for place in reversed(range(BITS))]
    return [True, *bits, sum(bits) % 2 == 1]
