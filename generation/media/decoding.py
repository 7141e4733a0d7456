"""Frames of a file of our own, for comparing; decoded as a player of HD video would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from generation.media.failure import failure_of

# Colour is brought to full width again; without that flat patches are a level further off.
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def frames_of(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """RGB, (height, width, 3), full range, one at a time. Raises ``MediaFailure``."""
    reformatter = VideoReformatter()
    try:
        with av.open(str(path), format="mp4") as container:
            for picture in container.decode(container.streams.video[0]):
                shown = reformatter.reformat(
                    picture,
                    format="rgb24",
                    interpolation=_EXACT,
                    src_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.JPEG,
                    threads=1,
                )
                yield np.ascontiguousarray(shown.to_ndarray())
    except (av.FFmpegError, OSError, IndexError) as error:
        raise failure_of(error) from error
