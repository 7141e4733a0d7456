"""What a finished file says about itself, read the way an independent player would."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from generation.media.boxes import is_faststart
from generation.media.failure import failure_of


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """Colour numbers are those of ITU-T H.273: 1/1/1 and range 1 are BT.709, limited."""

    frames: int
    rate: Fraction
    width: int
    height: int
    codec: str
    pixels: str
    primaries: int
    transfer: int
    matrix: int
    colour_range: int
    times: tuple[Fraction, ...]
    keyframes: tuple[int, ...]
    is_faststart: bool


def probe(path: Path) -> ClipFacts:
    """Reads every packet, decodes one frame. ``times`` in seconds, sorted; ``keyframes`` are
    indices into them. Raises ``MediaFailure``."""
    try:
        with av.open(str(path)) as container:
            return _facts(path, container)
    except (av.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise failure_of(error) from error


def _facts(path: Path, container: av.container.InputContainer) -> ClipFacts:
    stream = container.streams.video[0]
    packets = [
        (packet.pts * stream.time_base, packet.is_keyframe)
        for packet in container.demux(stream)
        if packet.pts is not None and stream.time_base is not None
    ]
    packets.sort()
    container.seek(0)
    first = next(container.decode(stream))
    context = stream.codec_context
    return ClipFacts(
        frames=len(packets),
        rate=Fraction(stream.average_rate or 0),
        width=context.width,
        height=context.height,
        codec=context.name,
        pixels=first.format.name,
        primaries=int(first.color_primaries),
        transfer=int(first.color_trc),
        matrix=int(first.colorspace),
        colour_range=int(first.color_range),
        times=tuple(time for time, _ in packets),
        keyframes=tuple(place for place, (_, is_key) in enumerate(packets) if is_key),
        is_faststart=is_faststart(path),
    )
