"""The file that a server sent, checked and decoded: exactly the frames ordered, or nothing.

Only MP4 is opened, and only the file itself: a playlist, or a file that points at others, is not
followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from generation.engines.order import Order
from generation.engines.protocol import EngineFailure, FailureCode, Frame, Sound

# Without the last one swscale takes a shortcut to RGB that is off by up to four levels.
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_MOST_CHANNELS = 8
_MOST_HERTZ = 192_000
_MATRICES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}  # ITU-T H.273
_PADDING = 1 << 16
_SLACK = 2_000
"""One part of so many may a rate differ: servers round 24000/1001 to 23.98."""


class Film:
    """``with opened_film(path, …) as film``: ``film.sound()`` first, then ``film.frames()``, once
    each. Both raise ``EngineFailure`` with ``remote_garbage``."""

    def __init__(
        self, container: av.container.InputContainer, order: Order, *, untagged_is_601: bool
    ) -> None:
        self._container = container
        self._order = order
        self._untagged = Colorspace.ITU601 if untagged_is_601 else Colorspace.ITU709
        self._reformatter = VideoReformatter()
        self._stream = container.streams.video[0]
        self._size = (self._stream.codec_context.width, self._stream.codec_context.height)
        # Damage is an error, not something to paint over; a picture far larger than announced is
        # refused before memory is taken for it.
        most = 4 * order.width * order.height + _PADDING
        self._stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(most)}
        self._stream.codec_context.thread_count = 2

    def check(self, generated: tuple[int, int]) -> None:
        """Before anything is decoded: what the file says about itself."""
        order, size = self._order, self._size
        if size not in ((order.width, order.height), generated):
            _garbage(f"a video of {size[0]}x{size[1]} instead of {order.width}x{order.height}")
        rate = Fraction(self._stream.average_rate or 0)
        if abs(rate - order.rate) * _SLACK > order.rate:
            _garbage(f"{rate} frames a second instead of {order.rate}")
        count = sum(1 for packet in self._container.demux(self._stream) if packet.size)
        if count != order.frames:
            _garbage(f"{count} frames instead of {order.frames}")
        self._container.seek(0)

    def sound(self) -> Sound | None:
        """The track, cut to the clip's length; None where there is none."""
        if not self._container.streams.audio:
            return None
        stream = self._container.streams.audio[0]
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if not 1 <= channels <= _MOST_CHANNELS or not 1 <= rate <= _MOST_HERTZ:
            _garbage(f"a sound track of {channels} channels at {rate} hertz")
        most = int(self._order.duration * rate)
        resampler = av.AudioResampler(format="fltp", layout=stream.codec_context.layout, rate=rate)
        pieces: list[np.ndarray] = []
        held = 0
        for decoded in self._container.decode(stream):
            for piece in resampler.resample(decoded):
                pieces.append(piece.to_ndarray())
                held += piece.samples
            if held >= most:
                break
        self._container.seek(0)
        if not pieces:
            return None
        samples = np.concatenate(pieces, axis=1)[:, :most]
        finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
        return Sound(samples=np.ascontiguousarray(finite.clip(-1, 1), np.float32), rate=rate)

    def frames(self) -> Iterator[Frame]:
        number = 0
        for picture in self._container.decode(self._stream):
            if number == self._order.frames or picture.is_corrupt:
                _garbage(f"picture {number} is damaged or one too many")
            yield self._frame(picture)
            number += 1
        if number != self._order.frames:
            _garbage(f"{number} pictures instead of {self._order.frames}")

    def _frame(self, picture: av.VideoFrame) -> Frame:
        order = self._order
        if (picture.width, picture.height) != self._size:
            _garbage(f"a picture of {picture.width}x{picture.height} on the way")
        shown = self._reformatter.reformat(
            picture,
            format="rgb24",
            interpolation=_EXACT,
            src_colorspace=_MATRICES.get(int(picture.colorspace), self._untagged),
            dst_color_range=ColorRange.JPEG,
            threads=1,
        ).to_ndarray()
        left, top = (picture.width - order.width) // 2, (picture.height - order.height) // 2
        frame = shown[top : top + order.height, left : left + order.width]
        return np.ascontiguousarray(frame)


@contextmanager
def opened_film(
    path: Path, order: Order, generated: tuple[int, int], *, untagged_is_601: bool
) -> Iterator[Film]:
    try:
        # The content does not choose the reader: FFmpeg has some that open further files.
        container = av.open(str(path), format="mp4", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _failure(f"not a video: {error}") from error
    with container:
        if len(container.streams.video) != 1:
            _garbage("not one video in the file")
        film = Film(container, order, untagged_is_601=untagged_is_601)
        with decoding():
            film.check(generated)
        yield film


@contextmanager
def decoding() -> Iterator[None]:
    """What FFmpeg says about a file is said about the server that sent it."""
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        raise _failure(f"the video cannot be read: {error}") from error


def _failure(told: str) -> EngineFailure:
    return EngineFailure(FailureCode.REMOTE_GARBAGE, told)


def _garbage(told: str) -> NoReturn:
    raise _failure(told)
