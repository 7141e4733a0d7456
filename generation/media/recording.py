"""From a stream of frames to a folder of finished files: clip, poster, contact sheet, its index."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from generation.media.failure import MediaCode, MediaFailure, media_errors
from generation.media.files import FileFacts, facts_of, flush, whole_folder
from generation.media.sheet import SheetIndex, Stills
from generation.media.writer import ClipWriter, Encoding


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is announced before the first frame; a stream that breaks it leaves nothing behind."""

    frames: int
    width: int
    height: int
    rate: Fraction


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The files in their final folder. ``clip`` is the master."""

    shape: Shape
    clip: FileFacts
    poster: FileFacts
    sheet: FileFacts
    sheet_index: SheetIndex


def record(
    frames: Iterable[npt.NDArray[np.uint8]],
    folder: Path,
    shape: Shape,
    encoding: Encoding | None = None,
) -> Recording:
    """Pulls every frame once and holds one at a time.

    ``folder`` must not exist; it appears complete (``clip.mp4 poster.webp sheet.webp sheet.json``)
    or not at all. Raises ``MediaFailure``; errors of the stream itself pass through unchanged.
    """
    with whole_folder(folder) as partial:
        index = _written_into(partial, frames, shape, encoding)
    return Recording(
        shape=shape,
        clip=facts_of(folder / "clip.mp4", "video/mp4"),
        poster=facts_of(folder / "poster.webp", "image/webp"),
        sheet=facts_of(folder / "sheet.webp", "image/webp"),
        sheet_index=index,
    )


def _written_into(
    partial: Path,
    frames: Iterable[npt.NDArray[np.uint8]],
    shape: Shape,
    encoding: Encoding | None,
) -> SheetIndex:
    stills = Stills(frames=shape.frames, width=shape.width, height=shape.height, rate=shape.rate)
    with ClipWriter(
        partial / "clip.mp4",
        width=shape.width,
        height=shape.height,
        rate=shape.rate,
        encoding=encoding,
    ) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame)
            stills.take(number, frame)
        if writer.frames != shape.frames:
            raise MediaFailure(
                MediaCode.FRAMES_MISSING, f"{writer.frames} frames instead of {shape.frames}"
            )
    _keep(partial / "poster.webp", stills.poster())
    _keep(partial / "sheet.webp", stills.sheet())
    _keep(partial / "sheet.json", json.dumps(stills.index.as_dict()).encode())
    return stills.index


def _keep(path: Path, content: bytes) -> None:
    with media_errors():
        path.write_bytes(content)
        flush(path)
