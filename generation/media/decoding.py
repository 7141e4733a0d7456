"""Frames and sound of a file of our own; decoded as a player of HD video would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from generation.engines.protocol import Sound
from generation.media.failure import MediaCode, MediaFailure, failure_of

# Colour is brought to full width again; without that flat patches are a level further off.
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def frames_of(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """RGB, (height, width, 3), full range, one at a time. Raises ``MediaFailure``."""
    reformatter = VideoReformatter()
    for picture in _pictures(path):
        yield _shown(picture, reformatter)


def last_frame_of(path: Path) -> npt.NDArray[np.uint8]:
    """The same as the last of ``frames_of``, without converting all those before it."""
    last = None
    for picture in _pictures(path):
        last = picture
    if last is None:
        raise MediaFailure(MediaCode.FRAMES_MISSING, f"{path.name} has no frame")
    return _shown(last, VideoReformatter())


def sound_of(path: Path) -> Sound | None:
    """The whole track, where there is one. Raises ``MediaFailure``."""
    try:
        with av.open(str(path), format="mp4") as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            pieces = [piece.to_ndarray() for piece in container.decode(stream)]
            rate = stream.rate
    except (av.FFmpegError, OSError) as error:
        raise failure_of(error) from error
    if not pieces:
        return None
    # The codec may overshoot full scale by a little.
    samples = np.clip(np.concatenate(pieces, axis=1), -1, 1).astype(np.float32)
    return Sound(samples=samples, rate=rate)


def _pictures(path: Path) -> Iterator[av.VideoFrame]:
    try:
        with av.open(str(path), format="mp4") as container:
            yield from container.decode(container.streams.video[0])
    except (av.FFmpegError, OSError, IndexError) as error:
        raise failure_of(error) from error


def _shown(picture: av.VideoFrame, reformatter: VideoReformatter) -> npt.NDArray[np.uint8]:
    shown = reformatter.reformat(
        picture,
        format="rgb24",
        interpolation=_EXACT,
        src_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return np.ascontiguousarray(shown.to_ndarray())
