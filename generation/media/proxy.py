"""The light copy of a clip: at most 480 lines, for whoever only has a look, on a slow line too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from generation.media.failure import failure_of
from generation.media.sound import Track
from generation.media.writer import ClipWriter, Encoding

LINES = 480
PROXY = Encoding(
    crf=28,
    threads=1,
    keyframe_s=Fraction(1, 2),
    looks_ahead=False,
    most_bit_rate=1_000_000,
    sound_bit_rate=40_000,
)


def proxy_size(width: int, height: int) -> tuple[int, int]:
    """The shorter side becomes ``LINES``, or stays where it is shorter; both sides are even."""
    scale = min(Fraction(1), Fraction(LINES, min(width, height)))
    return _even(width * scale), _even(height * scale)


class ProxyWriter:
    """``with ProxyWriter(path, …) as proxy: proxy.take(picture)``; its file is a ``ClipWriter``'s.

    Takes each picture as the master's encoder got it: frames and times of the two are the same.
    """

    def __init__(
        self, path: Path, *, width: int, height: int, rate: Fraction, sound: Track | None = None
    ) -> None:
        self.width, self.height = proxy_size(width, height)
        self._writer = ClipWriter(
            path, width=self.width, height=self.height, rate=rate, encoding=PROXY, sound=sound
        )
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def take(self, picture: av.VideoFrame) -> None:
        try:
            small = self._smaller(picture)
        except (av.FFmpegError, OSError) as error:
            raise failure_of(error) from error
        self._writer.write_picture(small)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def _smaller(self, picture: av.VideoFrame) -> av.VideoFrame:
        return self._reformatter.reformat(
            picture,
            width=self.width,
            height=self.height,
            format="yuv420p",
            interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
