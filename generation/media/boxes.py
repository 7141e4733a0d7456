"""The outermost boxes of an MP4 file (ISO/IEC 14496-12): enough to see order and completeness."""

from __future__ import annotations

import struct
from pathlib import Path

from generation.media.failure import MediaCode, MediaFailure

_HEAD = 8
_LONG_HEAD = 16


def boxes(path: Path) -> list[tuple[str, int]]:
    """Kind and length of each outermost box, in file order. ``MediaFailure('file_damaged')``."""
    found: list[tuple[str, int]] = []
    end = path.stat().st_size
    place = 0
    with path.open("rb") as opened:
        while place < end:
            opened.seek(place)
            kind, length = _box(opened.read(_LONG_HEAD), end - place)
            found.append((kind, length))
            place += length
    if place != end:
        raise MediaFailure(MediaCode.FILE_DAMAGED, f"{path.name} ends inside a box")
    return found


def is_faststart(path: Path) -> bool:
    """Whether the index stands before the data, so that a player may start before the file ends."""
    kinds = [kind for kind, _ in boxes(path)]
    return "moov" in kinds and "mdat" in kinds and kinds.index("moov") < kinds.index("mdat")


def check_boxes(path: Path) -> None:
    if not is_faststart(path):
        raise MediaFailure(MediaCode.FILE_DAMAGED, f"{path.name} has no index before its data")


def _box(head: bytes, left: int) -> tuple[str, int]:
    if len(head) < _HEAD:
        raise MediaFailure(MediaCode.FILE_DAMAGED, "a box without a head")
    length, kind = struct.unpack(">I4s", head[:_HEAD])
    if length == 1 and len(head) == _LONG_HEAD:  # a 64-bit length follows
        (length,) = struct.unpack(">Q", head[_HEAD:])
    if length == 0:  # until the end of the file
        length = left
    if length < _HEAD:
        raise MediaFailure(MediaCode.FILE_DAMAGED, "a box shorter than its head")
    return kind.decode("latin-1"), length
