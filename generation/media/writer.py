"""One H.264 file, written frame by frame in constant memory, in the right colours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)

from generation.media.boxes import check_boxes
from generation.media.failure import MediaCode, MediaFailure, failure_of
from generation.media.files import FileFacts, facts_of, flush
from generation.media.sound import Track

MOST_THREADS = 4
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """x264's own words. ``crf`` 20 at veryfast is visually clean at about 4 Mbit/s for 1080p.

    ``most_bit_rate`` holds over any second; ``sound_bit_rate`` is that of one channel.
    ``looks_ahead`` keeps a dozen pictures in memory to spend bits better.
    """

    preset: str = "veryfast"
    crf: int = 20
    threads: int = MOST_THREADS
    keyframe_s: Fraction = Fraction(1)
    looks_ahead: bool = True
    most_bit_rate: int | None = None
    sound_bit_rate: int = 64_000

    def as_dict(self) -> dict[str, str | int]:
        return {"codec": "h264", "preset": self.preset, "crf": self.crf, "pixels": "yuv420p"}

    def options(self) -> dict[str, str]:
        said = {"preset": self.preset, "crf": str(self.crf)}
        if not self.looks_ahead:
            said["tune"] = "zerolatency"
        if self.most_bit_rate is not None:
            said |= {"maxrate": str(self.most_bit_rate), "bufsize": str(self.most_bit_rate)}
        return said


class ClipWriter:
    """``with ClipWriter(path, …) as writer: writer.write(frame)``, then ``writer.written``.

    The file appears at ``path`` when the block ends well, replacing what was there; on any error,
    the caller's included, nothing appears. yuv420p, BT.709 converted and tagged, limited range, the
    rate exact as a fraction, a keyframe at least each second, index before the data.
    ``sound`` is written between the frames that it belongs to.
    Raises ``MediaFailure`` with ``disk_full``, ``encoder_failed``, ``size_odd``, ``frame_wrong``.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: Fraction,
        encoding: Encoding | None = None,
        sound: Track | None = None,
    ) -> None:
        if width % 2 or height % 2:
            raise MediaFailure(MediaCode.SIZE_ODD, f"{width}x{height}")
        self.path = path
        self.frames = 0
        self._shape = (height, width, 3)
        self._rate = rate
        self._encoding = encoding or Encoding()
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._sound = sound
        self._sound_left = sound.frames() if sound else iter(())
        self._sound_next = next(self._sound_left, None)
        self._reformatter = VideoReformatter()
        self._written: FileFacts | None = None

    @property
    def written(self) -> FileFacts:
        if self._written is None:
            raise MediaFailure(MediaCode.FRAMES_MISSING, "the file is not finished")
        return self._written

    def __enter__(self) -> Self:
        try:
            self._container = av.open(
                str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
            )
            self._stream = self._opened_stream()
            self._sound_stream = self._opened_sound()
        except Exception as error:
            self._discard()
            raise failure_of(error) from error
        return self

    def write(self, frame: npt.NDArray[np.uint8]) -> av.VideoFrame:
        """``frame``: uint8 RGB, (height, width, 3), full range. None of it is kept.

        Returns the picture as it was encoded, for whoever makes a smaller one of it.
        """
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise MediaFailure(MediaCode.FRAME_WRONG, f"{frame.dtype} {frame.shape}")
        try:
            picture = self._converted(frame)
        except (av.FFmpegError, OSError) as error:
            raise failure_of(error) from error
        self.write_picture(picture)
        return picture

    def write_picture(self, picture: av.VideoFrame) -> None:
        """``picture``: yuv420p, BT.709, limited range, of this file's size."""
        try:
            picture.pts = self.frames
            picture.time_base = 1 / self._rate
            self._container.mux(self._stream.encode(picture))
            self.frames += 1
            self._write_sound(until=self.frames / self._rate)
        except (av.FFmpegError, OSError) as error:
            raise failure_of(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._discard()
            return
        try:
            self._finish()
        except Exception as failed:
            self._discard()
            raise failure_of(failed) from failed

    def _opened_stream(self) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate)
        stream.height, stream.width = self._shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / self._rate
        context = stream.codec_context
        context.time_base = 1 / self._rate
        context.gop_size = ceil(self._rate * self._encoding.keyframe_s)
        context.thread_count = min(self._encoding.threads, MOST_THREADS, os.cpu_count() or 1)
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.options = self._encoding.options()
        return stream

    def _opened_sound(self) -> av.AudioStream | None:
        if self._sound is None:
            return None
        stream = self._container.add_stream("aac", rate=self._sound.rate, layout=self._sound.layout)
        stream.bit_rate = self._encoding.sound_bit_rate * len(self._sound.samples)
        return stream

    def _write_sound(self, *, until: Fraction | None = None) -> None:
        """What begins before this second; to its end without one."""
        if self._sound_stream is None:
            return
        while self._sound_next is not None:
            start, frame = self._sound_next
            if until is not None and start >= until:
                return
            self._container.mux(self._sound_stream.encode(frame))
            self._sound_next = next(self._sound_left, None)
        if until is None:
            self._container.mux(self._sound_stream.encode(None))

    def _converted(self, frame: npt.NDArray[np.uint8]) -> av.VideoFrame:
        # Without an explicit destination swscale uses BT.601, which HD players then show wrongly by
        # up to 28/255.
        return self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame), format="rgb24"),
            format="yuv420p",
            interpolation=_EXACT,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
            threads=1,
        )

    def _finish(self) -> None:
        if self.frames == 0:
            raise MediaFailure(MediaCode.FRAMES_MISSING, "no frame was written")
        self._container.mux(self._stream.encode(None))
        self._write_sound()
        self._container.close()
        # FFmpeg forgets an error of its last flush; a file cut short must not get past here.
        check_boxes(self._partial)
        flush(self._partial)
        facts = facts_of(self._partial, "video/mp4")
        self._partial.replace(self.path)
        flush(self.path.parent)
        self._written = FileFacts(
            path=self.path,
            sha256=facts.sha256,
            size_bytes=facts.size_bytes,
            media_type=facts.media_type,
        )

    def _discard(self) -> None:
        container = getattr(self, "_container", None)
        try:
            if container is not None:
                container.close()
        except (av.FFmpegError, OSError):
            pass  # the trailer of a file that is thrown away
        self._partial.unlink(missing_ok=True)
