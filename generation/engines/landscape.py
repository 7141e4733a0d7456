"""What the ``still`` engine draws: sky, low sun, four ridges in haze, lanterns, test-card marks.

Fast because most of a frame is copied or filled by whole rows: about 15 ms for 1920×1080 on one
core.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from generation.engines.framecode import CELLS, cell_side
from generation.engines.protocol import Frame

Colour = tuple[int, int, int]
_Floats = npt.NDArray[np.float32]

_RIDGES = 4
_LANTERNS = 6
# 75 % colour bars, as flat patches for anybody who measures colour along the way.
_CHIPS = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
)


@dataclass(frozen=True)
class Palette:
    zenith: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour


PALETTES = (
    Palette((38, 50, 92), (236, 158, 120), (150, 96, 60), (160, 112, 122), (32, 30, 48)),  # dusk
    Palette((96, 140, 186), (244, 214, 186), (110, 90, 60), (152, 168, 186), (38, 58, 74)),  # dawn
    Palette((18, 60, 84), (142, 196, 190), (90, 100, 70), (78, 138, 146), (10, 36, 52)),  # sea
    Palette((56, 84, 70), (214, 214, 162), (100, 96, 56), (122, 150, 112), (22, 42, 36)),  # forest
    Palette((92, 62, 66), (240, 178, 108), (130, 90, 50), (188, 118, 84), (62, 30, 32)),  # desert
    Palette((10, 14, 34), (70, 84, 132), (120, 124, 136), (52, 64, 104), (8, 10, 24)),  # night
    Palette((62, 32, 48), (226, 104, 78), (150, 80, 50), (142, 62, 70), (30, 14, 26)),  # ember
    Palette((122, 142, 166), (230, 234, 238), (80, 76, 66), (176, 190, 204), (70, 86, 106)),  # snow
)


class Landscape:
    """``drawn(seconds)`` is a fresh frame each time; nothing random happens after construction."""

    def __init__(self, prompt: str, seed: int, width: int, height: int) -> None:
        self._chance = _Chance(f"{seed}")
        self._form = _Chance(prompt.strip().casefold())
        self._palette = PALETTES[int(self._form.unit("palette") * len(PALETTES))]
        self._width, self._height = width, height
        self._columns = np.arange(width, dtype=np.float32) / height
        self._rows = np.arange(height, dtype=np.float32)[:, None]
        self._sky = self._painted_sky()
        self._fills = [self._ridge_fill(place) for place in range(_RIDGES)]
        self._sun = _glow(0.34 * height, self._palette.sun, core=0.16)
        self._lantern = _glow(max(3.0, 0.030 * height), (96, 70, 38), core=0.22)

    def drawn(self, seconds: float) -> Frame:
        frame = self._sky.copy()
        self._add_sun(frame, seconds)
        ridges = [self._ridge_line(place, seconds) for place in range(_RIDGES)]
        for place, line in enumerate(ridges):
            behind = place + 1 < _RIDGES
            until = int(ridges[place + 1].max()) + 1 if behind else self._height
            self._fill_ridge(frame, line, self._fills[place], until)
        self._add_lanterns(frame, seconds)
        self._draw_marks(frame)
        return frame

    def _painted_sky(self) -> Frame:
        down = np.clip(self._rows / (0.62 * self._height), 0, 1) ** np.float32(1.4)
        column = _mixed(self._palette.zenith, self._palette.horizon, down)
        # Half a level of fixed noise: without it a slow gradient shows bands in eight bits.
        grain = np.random.Generator(np.random.PCG64(7)).random(
            (self._height, self._width, 1), dtype=np.float32
        )
        return (column[:, None, :] + grain).astype(np.uint8)

    def _ridge_fill(self, place: int) -> Frame:
        """One colour per row: the ridge's own at its top, hazier below."""
        depth = (place / (_RIDGES - 1)) ** 0.8
        own = _mixed(self._palette.far, self._palette.near, depth)
        haze = _mixed(self._palette.far, self._palette.horizon, 0.5)
        down = np.clip(self._rows / self._height - (0.5 + 0.1 * place), 0, 0.4)
        fill: Frame = (own + (haze - own) * down * (1.1 - depth)).astype(np.uint8)
        return fill

    def _ridge_line(self, place: int, seconds: float) -> _Floats:
        """Height of the ridge over each column, in rows from the top, between pixels."""
        speed = (0.010 + 0.022 * place) * self._direction()
        along = self._columns + np.float32(speed * seconds + 7 * self._chance.unit(f"at{place}"))
        line = np.zeros_like(along)
        for octave in range(4):
            pitch = (1.3 + self._form.unit(f"p{place}{octave}")) * 1.9**octave * (1 + place / 3)
            turn = 6.2832 * self._form.unit(f"t{place}{octave}")
            line += np.float32(0.52**octave) * np.sin(np.float32(pitch) * along * 2 + turn)
        level = 0.52 + 0.115 * place
        return ((level + 0.022 * (1 + 0.25 * place) * line) * self._height).astype(np.float32)

    def _fill_ridge(self, frame: Frame, line: _Floats, fill: Frame, until: int) -> None:
        edge = np.clip(np.floor(line).astype(np.intp), 0, self._height - 1)
        top, bottom = int(edge.min()), min(int(edge.max()) + 1, self._height)
        columns = np.arange(self._width)
        share = (edge + 1 - line).astype(np.float32)[:, None]
        softened = frame[edge, columns] * (1 - share) + fill[edge] * share
        below = self._rows[top:bottom] > edge
        np.copyto(frame[top:bottom], fill[top:bottom, None, :], where=below[..., None])
        frame[edge, columns] = softened.astype(np.uint8)
        frame[bottom:until] = fill[bottom:until, None, :]

    def _add_sun(self, frame: Frame, seconds: float) -> None:
        way = 0.28 + 0.44 * self._chance.unit("sun") + 0.022 * seconds * self._direction()
        lift = 0.36 - 0.10 * np.cos((way - 0.5) * 3.0)
        _add_light(frame, self._sun, way * self._width, lift * self._height)

    def _add_lanterns(self, frame: Frame, seconds: float) -> None:
        for place in range(_LANTERNS):
            pace = 0.03 + 0.04 * self._chance.unit(f"pace{place}")
            rise = (self._chance.unit(f"rise{place}") + pace * seconds) % 1.0
            sway = 0.012 * np.sin(seconds * (0.6 + pace * 9) + 6.2832 * rise + place)
            across = self._chance.unit(f"across{place}") + float(sway)
            light = (self._lantern * np.float32(np.sin(np.pi * rise))).astype(np.uint8)
            _add_light(frame, light, across * self._width, (0.94 - 0.62 * rise) * self._height)

    def _draw_marks(self, frame: Frame) -> None:
        """Corner brackets at the five per cent line, and colour chips where there is room."""
        height, width, side = self._height, self._width, cell_side(self._width, self._height)
        inset_x, inset_y, arm = width // 20, height // 20, min(width, height) // 24
        thick = max(1, side // 12)
        for x, to_x in ((inset_x, 1), (width - inset_x, -1)):
            for y, to_y in ((inset_y, 1), (height - inset_y, -1)):
                _lighten(frame, _span(y, to_y * thick), _span(x, to_x * arm))
                _lighten(frame, _span(y, to_y * arm), _span(x, to_x * thick))
        if width >= (CELLS + len(_CHIPS) + 2) * side:
            for place, chip in enumerate(_CHIPS):
                left = width - (len(_CHIPS) - place) * side
                frame[height - side :, left : left + side] = chip

    def _direction(self) -> int:
        return (-1, 1)[int(2 * self._chance.unit("direction"))]


class _Chance:
    """Named numbers in [0, 1) from a text; hashed, so no generator's version can change them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def unit(self, name: str) -> float:
        digest = blake2b(f"{name}\0{self._text}".encode(), digest_size=6).digest()
        return float(int.from_bytes(digest) / 2**48)


def _mixed(first: Colour, second: Colour, share: _Floats | float) -> _Floats:
    start = np.asarray(first, np.float32)
    mixed: _Floats = start + (np.asarray(second, np.float32) - start) * share
    return mixed


def _glow(radius: float, colour: Colour, *, core: float) -> Frame:
    """A light to be added to a picture: bright to ``core`` of the radius, fading to nothing."""
    reach = int(radius) + 1
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.hypot(offsets[:, None], offsets[None, :]) / np.float32(radius)
    halo = np.clip(1 - distance, 0, 1) ** 3
    disc = np.clip((core - distance) * np.float32(radius) + 0.5, 0, 1)
    light = (0.62 * halo + disc)[..., None] * np.asarray(colour, np.float32)
    glow: Frame = np.clip(light, 0, 255).astype(np.uint8)
    return glow


def _add_light(frame: Frame, light: Frame, x: float, y: float) -> None:
    """Adds with saturation, cut off at the picture's edges."""
    height, width = frame.shape[:2]
    reach = light.shape[0] // 2
    left, top = round(x) - reach, round(y) - reach
    x0, x1 = max(left, 0), min(left + light.shape[1], width)
    y0, y1 = max(top, 0), min(top + light.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    part = frame[y0:y1, x0:x1]
    shown = light[y0 - top : y1 - top, x0 - left : x1 - left]
    part += np.minimum(shown, 255 - part)


def _lighten(frame: Frame, rows: slice, columns: slice) -> None:
    part = frame[rows, columns]
    part += (255 - part) // 3


def _span(start: int, length: int) -> slice:
    return slice(min(start, start + length), max(start, start + length))
