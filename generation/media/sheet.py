"""Poster and contact sheet, taken from the frames while they stream past to the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

TILE_WIDTH = 192
MOST_TILES = 24
COLUMNS = 6
_POSTER_QUALITY = 82
_SHEET_QUALITY = 74


@dataclass(frozen=True, kw_only=True)
class SheetIndex:
    """Which frame stands where on the contact sheet."""

    tile_width: int
    tile_height: int
    columns: int
    frames: int
    rate: Fraction
    tiles: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole sheet in pixels."""
        rows = ceil(len(self.tiles) / self.columns)
        return self.columns * self.tile_width, rows * self.tile_height

    def place(self, tile: int) -> tuple[int, int]:
        """Left and top in pixels."""
        row, column = divmod(tile, self.columns)
        return column * self.tile_width, row * self.tile_height

    def as_dict(self) -> dict[str, Any]:
        return {
            "tile_width": self.tile_width,
            "tile_height": self.tile_height,
            "columns": self.columns,
            "frames": self.frames,
            "rate": str(self.rate),
            "tiles": [
                {"frame": frame, "x": x, "y": y}
                for frame, (x, y) in ((f, self.place(t)) for t, f in enumerate(self.tiles))
            ],
        }

    def as_vtt(self, image_url: str) -> str:
        """WebVTT thumbnails track: each cue lasts until the next tile's frame.

        ``image_url`` may be relative: whoever reads the track resolves it against the track's own.
        """
        ends = (*self.tiles[1:], self.frames)
        lines = ["WEBVTT"]
        for tile, (start, end) in enumerate(zip(self.tiles, ends, strict=True)):
            x, y = self.place(tile)
            times = f"{_timestamp(start / self.rate)} --> {_timestamp(end / self.rate)}"
            lines.append(f"{times}\n{image_url}#xywh={x},{y},{self.tile_width},{self.tile_height}")
        return "\n\n".join(lines) + "\n"


class Stills:
    """``take`` every frame in order, then ``poster`` and ``sheet`` are WebP bytes.

    The poster is the middle frame at full size. The sheet has at most ``MOST_TILES`` evenly spaced
    tiles; memory is the sheet and one frame, whatever the length.
    """

    def __init__(self, *, frames: int, width: int, height: int, rate: Fraction) -> None:
        count = min(frames, MOST_TILES)
        columns = min(count, COLUMNS)
        self.index = SheetIndex(
            tile_width=TILE_WIDTH,
            tile_height=max(2, round(TILE_WIDTH * height / width)),
            columns=columns,
            frames=frames,
            rate=rate,
            tiles=tuple(tile * frames // count for tile in range(count)),
        )
        self._sheet = Image.new("RGB", self.index.size)
        self._tile_of = {frame: tile for tile, frame in enumerate(self.index.tiles)}
        self._middle = frames // 2
        self._poster = b""

    def take(self, number: int, frame: npt.NDArray[np.uint8]) -> None:
        tile = self._tile_of.get(number)
        if tile is None and number != self._middle:
            return
        picture = Image.fromarray(frame)
        if number == self._middle:
            self._poster = _webp(picture, _POSTER_QUALITY)
        if tile is not None:
            size = (self.index.tile_width, self.index.tile_height)
            # reducing_gap: four times faster than LANCZOS on 1080p and free of aliasing.
            small = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
            self._sheet.paste(small, self.index.place(tile))

    def poster(self) -> bytes:
        return self._poster

    def sheet(self) -> bytes:
        return _webp(self._sheet, _SHEET_QUALITY)


def webp_exactly(picture: Image.Image) -> bytes:
    """For drawings: no loss, and transparency is kept."""
    kept = BytesIO()
    picture.save(kept, "WEBP", lossless=True, method=2)
    return kept.getvalue()


def _webp(picture: Image.Image, quality: int) -> bytes:
    kept = BytesIO()
    picture.save(kept, "WEBP", quality=quality, method=2)
    return kept.getvalue()


def _timestamp(seconds: Fraction) -> str:
    thousandths = int(seconds * 1000)
    minutes, left = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{left // 1000:02}.{left % 1000:03}"
