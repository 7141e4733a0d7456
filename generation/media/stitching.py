"""A finished clip and what goes on from it, as one stream: the frame that both show once.

The earlier frames are decoded and encoded once more with the new ones, so that the whole is one
file of one encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from generation.engines.protocol import Frame, Sound
from generation.media.decoding import frames_of, sound_of
from generation.media.failure import MediaCode, MediaFailure

_LAYOUTS = {1: "mono", 2: "stereo"}


def stitched(
    before: Path,
    after: Iterable[Frame | Sound],
    *,
    frames: int,
    rate: Fraction,
    passed: Callable[[int], None],
) -> Iterator[Frame | Sound]:
    """``before`` has so many ``frames``; ``after`` begins with the last of them once more, which is
    left out. ``passed`` hears of each earlier frame, and may end it all.

    ``after`` is asked for its first frame before anything is yielded: its sound comes before that.
    Raises ``MediaFailure``.
    """
    left = iter(after)
    first = next(left, None)
    new_sound = first if isinstance(first, Sound) else None
    sound = joined(sound_of(before), new_sound, frames=frames, rate=rate)
    if sound is not None:
        yield sound
    count = 0
    for count, frame in enumerate(frames_of(before), start=1):
        passed(count)
        yield frame
    if count != frames:
        raise MediaFailure(
            MediaCode.FRAMES_MISSING, f"{count} frames instead of {frames} to extend"
        )
    if new_sound is None and first is not None:
        left = chain((first,), left)
    next(left, None)  # the frame that both show
    yield from left


def joined(
    before: Sound | None, after: Sound | None, *, frames: int, rate: Fraction
) -> Sound | None:
    """The sound of both; silence where one of them has none. ``frames`` are those of the first."""
    if after is None:
        return before  # whoever records it adds the silence
    heard = after.samples[:, round(after.rate / rate) :]
    length = round(frames * after.rate / rate)
    if before is None:
        earlier = np.zeros((len(heard), length), np.float32)
    else:
        earlier = _long(_alike(before, after.rate, len(heard)), length)
    return Sound(samples=np.concatenate([earlier, heard], axis=1), rate=after.rate)


def _long(samples: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    missing = max(0, length - samples.shape[1])
    return np.pad(samples[:, :length], ((0, 0), (0, missing)))


def _alike(sound: Sound, rate: int, channels: int) -> npt.NDArray[np.float32]:
    """At this rate, with so many channels."""
    if (sound.rate, len(sound.samples)) == (rate, channels):
        return sound.samples
    resampler = av.AudioResampler(format="fltp", layout=_LAYOUTS[channels], rate=rate)
    layout = _LAYOUTS[len(sound.samples)]
    piece = np.ascontiguousarray(sound.samples)
    frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
    frame.sample_rate = sound.rate
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    samples = np.concatenate([piece.to_ndarray() for piece in pieces], axis=1)
    loud: npt.NDArray[np.float32] = np.clip(samples, -1, 1).astype(np.float32)
    return loud
