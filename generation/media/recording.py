"""From what an engine yields to a folder of finished files: the clip and all that is made of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from generation.engines.protocol import Frame, Sound
from generation.media.failure import MediaCode, MediaFailure, media_errors
from generation.media.files import FileFacts, facts_of, flush, whole_folder
from generation.media.proxy import PROXY, ProxyWriter, proxy_size
from generation.media.sheet import SheetIndex, Stills
from generation.media.sound import Track, fitted, waveform_size
from generation.media.writer import ClipWriter, Encoding

CLIP, PROXY_CLIP = "clip.mp4", "proxy.mp4"
POSTER, SHEET, INDEX, WAVEFORM = "poster.webp", "sheet.webp", "sheet.vtt", "waveform.webp"
MEDIA_TYPES = {"mp4": "video/mp4", "webp": "image/webp", "vtt": "text/vtt"}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is announced before the first frame; a stream that breaks it leaves nothing behind."""

    frames: int
    width: int
    height: int
    rate: Fraction


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One finished file: its facts, its picture's size in pixels and how it came of the master."""

    facts: FileFacts
    width: int
    height: int
    recipe: dict[str, Any]

    @property
    def path(self) -> Path:
        return self.facts.path


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The files in their final folder. ``clip`` is the master; a waveform is there with sound.

    The size of ``index`` is that of the sheet it is about; ``sheet_url`` is what it calls it.
    """

    shape: Shape
    clip: Recorded
    poster: Recorded
    sheet: Recorded
    index: Recorded
    proxy: Recorded
    waveform: Recorded | None
    sheet_index: SheetIndex
    sheet_url: str


def record(
    stream: Iterable[Frame | Sound],
    folder: Path,
    shape: Shape,
    encoding: Encoding | None = None,
    *,
    sheet_url: str = SHEET,
) -> Recording:
    """Pulls everything once: a ``Sound`` first, where there is one, then one frame at a time.

    ``folder`` must not exist; it appears complete (``clip.mp4 proxy.mp4 poster.webp sheet.webp
    sheet.vtt`` and, with sound, ``waveform.webp``) or not at all. A light copy that would be no
    lighter is the master's own bytes, under a second name. ``sheet_url`` is how the index names
    the sheet. Raises ``MediaFailure``; errors of the stream itself pass through unchanged.
    """
    encoding = encoding or Encoding()
    stills = Stills(frames=shape.frames, width=shape.width, height=shape.height, rate=shape.rate)
    with whole_folder(folder) as partial:
        sound, frames = _parted(stream, shape)
        _write_clips(partial, frames, _Pass(shape, encoding, sound, stills))
        with media_errors():
            _keep_the_lighter(partial)
        _keep(partial / POSTER, stills.poster())
        _keep(partial / SHEET, stills.sheet())
        _keep(partial / INDEX, stills.index.as_vtt(sheet_url).encode())
        if sound is not None:
            _keep(partial / WAVEFORM, sound.waveform())
    return _recording(folder, _Pass(shape, encoding, sound, stills), sheet_url)


@dataclass(frozen=True)
class _Pass:
    """What one pass over the frames needs."""

    shape: Shape
    encoding: Encoding
    sound: Track | None
    stills: Stills


def _parted(
    stream: Iterable[Frame | Sound], shape: Shape
) -> tuple[Track | None, Iterator[Frame | Sound]]:
    left = iter(stream)
    first = next(left, None)
    if isinstance(first, Sound):
        return fitted(first, shape.frames / shape.rate), left
    return None, left if first is None else chain((first,), left)


def _write_clips(folder: Path, frames: Iterator[Frame | Sound], made: _Pass) -> None:
    """Master and light copy in step, each frame encoded twice and kept nowhere."""
    shape, sound, stills = made.shape, made.sound, made.stills
    clip = ClipWriter(
        folder / CLIP,
        width=shape.width,
        height=shape.height,
        rate=shape.rate,
        encoding=made.encoding,
        sound=sound,
    )
    proxy = ProxyWriter(
        folder / PROXY_CLIP,
        width=shape.width,
        height=shape.height,
        rate=shape.rate,
        sound=sound,
    )
    with clip, proxy:
        for number, frame in enumerate(frames):
            if isinstance(frame, Sound):
                raise MediaFailure(MediaCode.SOUND_WRONG, f"sound after {number} frames")
            proxy.take(clip.write(frame))
            stills.take(number, frame)
        if clip.frames != shape.frames:
            raise MediaFailure(
                MediaCode.FRAMES_MISSING, f"{clip.frames} frames instead of {shape.frames}"
            )


def _keep_the_lighter(folder: Path) -> None:
    """Of a very small clip the copy may come out larger: it has more keyframes."""
    clip, proxy = folder / CLIP, folder / PROXY_CLIP
    if proxy.stat().st_size < clip.stat().st_size:
        return
    proxy.unlink()
    try:
        proxy.hardlink_to(clip)  # takes no room
    except OSError:  # a file system without such links
        shutil.copyfile(clip, proxy)
        flush(proxy)


def _recording(folder: Path, made: _Pass, sheet_url: str) -> Recording:
    shape, sound, index = made.shape, made.sound, made.stills.index
    whole = (shape.width, shape.height)
    heard = {"sound": sound.as_dict()} if sound is not None else {}
    clip = _recorded(folder / CLIP, whole, made.encoding.as_dict() | heard)
    proxy = _recorded(folder / PROXY_CLIP, proxy_size(*whole), PROXY.as_dict() | heard)
    if proxy.facts.sha256 == clip.facts.sha256:
        proxy = replace(proxy, width=clip.width, height=clip.height, recipe={"same_as": "master"})
    return Recording(
        shape=shape,
        clip=clip,
        poster=_recorded(folder / POSTER, whole, {"from": "master"}),
        sheet=_recorded(folder / SHEET, index.size, index.as_dict()),
        index=_recorded(folder / INDEX, index.size, {"from": "sprite"}),
        proxy=proxy,
        waveform=None
        if sound is None
        else _recorded(folder / WAVEFORM, waveform_size(sound), {"from": "sound"}),
        sheet_index=index,
        sheet_url=sheet_url,
    )


def _recorded(path: Path, size: tuple[int, int], recipe: dict[str, Any]) -> Recorded:
    facts = facts_of(path, MEDIA_TYPES[path.suffix[1:]])
    return Recorded(facts=facts, width=size[0], height=size[1], recipe=recipe)


def _keep(path: Path, content: bytes) -> None:
    with media_errors():
        path.write_bytes(content)
        flush(path)
