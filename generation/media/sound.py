"""A clip's sound: checked, brought to the clip's exact length, and drawn as a waveform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from generation.engines.protocol import Sound
from generation.media.failure import MediaCode, MediaFailure
from generation.media.sheet import webp_exactly

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)
"""Sampling rates of AAC-LC (ISO/IEC 14496-3, table 1.18) that are in use."""

AAC_FRAME = 1024
BIT_RATE = 64_000  # a channel
WAVE_WIDTH, WAVE_LANE = 960, 48
_LAYOUTS = {1: "mono", 2: "stereo"}
_ROUNDING = 1e-4  # what arithmetic in half precision may add to a full-scale sample
_WAVE_COLOUR = (200, 200, 200, 255)


@dataclass(frozen=True, kw_only=True)
class Track:
    """Sound of exactly the clip's length. ``samples``: float32, (channels, samples).

    ``cut`` or ``padded`` samples at its end say how it came to that length.
    """

    samples: npt.NDArray[np.float32]
    rate: int
    cut: int
    padded: int

    @property
    def layout(self) -> str:
        return _LAYOUTS[len(self.samples)]

    def as_dict(self) -> dict[str, Any]:
        return {
            "codec": "aac",
            "rate": self.rate,
            "layout": self.layout,
            "cut_samples": self.cut,
            "padded_samples": self.padded,
        }

    def frames(self) -> Iterator[tuple[Fraction, av.AudioFrame]]:
        """Pieces of one AAC frame each, with the second at which each begins."""
        for start in range(0, self.samples.shape[1], AAC_FRAME):
            piece = np.ascontiguousarray(self.samples[:, start : start + AAC_FRAME])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=self.layout)
            frame.sample_rate, frame.pts = self.rate, start
            frame.time_base = Fraction(1, self.rate)
            yield Fraction(start, self.rate), frame

    def waveform(self) -> bytes:
        """WebP: a lane a channel, a column for each 1/960 of the clip from its lowest to its
        highest sample. Grey upon nothing, for the near-black that clips stand on."""
        length = self.samples.shape[1]
        picture = Image.new("RGBA", waveform_size(self))
        brush = ImageDraw.Draw(picture)
        half = (WAVE_LANE - 2) / 2
        for lane, samples in enumerate(self.samples):
            middle = lane * WAVE_LANE + WAVE_LANE // 2
            for column in range(WAVE_WIDTH):
                start = column * length // WAVE_WIDTH
                part = samples[start : max(start + 1, (column + 1) * length // WAVE_WIDTH)]
                top = middle - round(half * min(1.0, float(part.max())))
                bottom = middle - round(half * max(-1.0, float(part.min())))
                brush.line((column, top, column, bottom), fill=_WAVE_COLOUR)
        return webp_exactly(picture)


def waveform_size(track: Track) -> tuple[int, int]:
    return WAVE_WIDTH, WAVE_LANE * len(track.samples)


def fitted(sound: Sound, seconds: Fraction) -> Track:
    """``sound`` cut, or padded with silence, to a clip of so many seconds.

    Raises ``MediaFailure``: ``sound_wrong`` for another shape, type or rate than can be written,
    ``sound_damaged`` where a sample is no number or lies beyond full scale.
    """
    _check(sound)
    length = max(1, round(seconds * sound.rate))
    made = sound.samples.shape[1]
    samples = sound.samples[:, :length]
    if made < length:
        samples = np.pad(samples, ((0, 0), (0, length - made)))
    return Track(
        samples=samples, rate=sound.rate, cut=max(0, made - length), padded=max(0, length - made)
    )


def _check(sound: Sound) -> None:
    samples = sound.samples
    if samples.ndim != 2 or len(samples) not in _LAYOUTS or samples.dtype != np.float32:
        raise MediaFailure(MediaCode.SOUND_WRONG, f"{samples.dtype} {samples.shape}")
    if sound.rate not in RATES:
        raise MediaFailure(MediaCode.SOUND_WRONG, f"{sound.rate} Hz")
    loudest = float(np.abs(samples).max(initial=0.0))
    if not loudest <= 1 + _ROUNDING:  # so written, since nothing compares with what is no number
        raise MediaFailure(MediaCode.SOUND_DAMAGED, f"a sample of {loudest}")
