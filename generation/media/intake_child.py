"""What runs apart from the house and reads files that somebody sent. Started by ``intake``.

Standard library, Pillow and PyAV only. Everything is imported and opened first; then the process
shuts itself in (memory, processor time, file size; no other file, process or connection, as far as
the kernel gives that) and only then looks at a byte of what was sent. The answer is one JSON line.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import platform
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import av.container
import av.error
import av.video.reformatter
from av.video.reformatter import Colorspace, VideoReformatter
from PIL import (  # noqa: F401  (imported before the door closes)
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

MOST_PIXELS = 7680 * 4320
MOST_PIXELS_OF_A_FRAME = 4096 * 2304
LONGEST_SIDE_USED = 4096
LEAST_SIDE = 16
LONGEST_S = 10
MOST_FRAMES = 1_200
FASTEST = 120

MEMORY = 2 * 2**30
PROCESSOR_S = 25
FILE_SIZE = 96 * 2**20

CODECS = {"h264", "hevc", "av1", "vp9", "mpeg4"}
# As in ``failure``: this process imports nothing of the house.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DAMAGED = (OSError, ValueError, SyntaxError, IndexError, EOFError, av.error.FFmpegError)
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
_WIDE_SPREAD = Fraction(1, 4)  # a last frame may begin this long after the tenth second's end

# Numbers of system calls (asm/unistd_64.h, asm-generic/unistd.h) by the audit's architecture:
# open, openat, openat2, creat, fork, vfork, clone, clone3, execve, execveat, socket, socketpair,
# connect, bind, ptrace, io_uring_setup, unlink, unlinkat, rename, renameat2, kill; the newer
# architecture never had some of them.
_X86_64 = (
    *(2, 257, 437, 85, 57, 58, 56, 435, 59, 322, 41, 53, 42, 49, 101, 425),
    *(87, 263, 82, 316, 62),
)
_AARCH64 = (56, 437, 220, 435, 221, 281, 198, 199, 203, 200, 117, 425, 35, 276, 129)
_DENIED = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
_ALLOW, _EACCES, _KILL = 0x7FFF0000, 0x00050000 | 13, 0x80000000


class Refused(Exception):
    def __init__(self, code: str, **facts: int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def shut_in() -> None:
    """From here on: what is open, and nothing else."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        lower = [each for each in resource.getrlimit(limit) if each != resource.RLIM_INFINITY]
        least = min((most, *lower))  # a limit that is lower already stays
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (least, least))
    _deny_calls()


def stills(source: IO[bytes], targets: Mapping[str, IO[bytes]]) -> dict[str, Any]:
    """``targets``: under a frame's number, or ``last``, where its PNG goes."""
    head = source.read(32)
    source.seek(0)
    if head[4:8] == b"ftyp":
        return _of_clip(source, targets)
    return _of_picture(source, targets)


def _of_picture(source: IO[bytes], targets: Mapping[str, IO[bytes]]) -> dict[str, Any]:
    Image.MAX_IMAGE_PIXELS = None  # asked below, from the header, before anything is decoded
    try:
        picture = Image.open(source, formats=["PNG", "JPEG", "WEBP"])
    except UnidentifiedImageError:
        source.seek(0)
        raise Refused(_unidentified(source.read(16))) from None
    _check_pixels(picture.width, picture.height, MOST_PIXELS)
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise Refused("reference_animated")
    picture.load()
    width, height = _write(_upright(picture), targets["0"])
    return {
        "media_type": _FORMATS[str(picture.format)],
        "frames": 1,
        "rate": [0, 1],
        "stills": {"0": [0, width, height]},
    }


def _unidentified(head: bytes) -> str:
    """Pillow says the same of a foreign file and of one that is cut off in its header."""
    signs = head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return "reference_damaged" if signs or is_webp else "reference_type_unknown"


def _of_clip(source: IO[bytes], targets: Mapping[str, IO[bytes]]) -> dict[str, Any]:
    wanted = {int(name) for name in targets if name != "last"}
    made: dict[str, list[int]] = {}
    frames, last, rate = 0, None, Fraction(0)
    with av.open(source, format="mp4") as container:
        if not container.streams.video:
            raise Refused("reference_without_picture")
        stream = container.streams.video[0]
        rate = _rate_of(stream)
        _check_length(container, stream)
        for frame in _frames(container, stream):
            if frames in wanted:
                made[str(frames)] = [frames, *_write(_shown(frame), targets[str(frames)])]
            frames, last = frames + 1, frame
        if last is None:
            raise Refused("reference_without_picture")
        if "last" in targets and str(frames - 1) not in made:
            made["last"] = [frames - 1, *_write(_shown(last), targets["last"])]
    return {
        "media_type": "video/mp4",
        "frames": frames,
        "rate": [rate.numerator, rate.denominator],
        "stills": made,
    }


def _rate_of(stream: Any) -> Fraction:
    if stream.codec_context.name not in CODECS and stream.codec.canonical_name not in CODECS:
        raise Refused("reference_type_unknown")
    rate = stream.average_rate or stream.guessed_rate
    if not rate or not 1 <= rate <= FASTEST:
        raise Refused("reference_damaged")
    return Fraction(rate.numerator, rate.denominator)


def _check_length(container: Any, stream: Any) -> None:
    _check_pixels(stream.width, stream.height, MOST_PIXELS_OF_A_FRAME)
    said = [
        Fraction(container.duration or 0, av.time_base),
        Fraction(stream.duration or 0) * Fraction(stream.time_base or 0),
    ]
    if max(said) > LONGEST_S + _WIDE_SPREAD or stream.frames > MOST_FRAMES:
        raise Refused("reference_too_long", most_s=LONGEST_S)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Every one, decoded; a header may lie about length and size."""
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    first = None
    for number, frame in enumerate(container.decode(stream)):
        first = frame.time if first is None else first
        is_late = frame.time is not None and frame.time - first > LONGEST_S + float(_WIDE_SPREAD)
        if number >= MOST_FRAMES or is_late:
            raise Refused("reference_too_long", most_s=LONGEST_S)
        _check_pixels(frame.width, frame.height, MOST_PIXELS_OF_A_FRAME)
        yield frame


def _shown(frame: Any) -> Image.Image:
    """RGB as a player shows it, turned as the file says."""
    # Without a word of its own, HD is BT.709 and all below it BT.601.
    usual = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    says = frame.colorspace
    space = Colorspace.ITU709 if int(says) == 1 else usual if int(says) in (0, 2) else says
    rgb = VideoReformatter().reformat(frame, format="rgb24", src_colorspace=space, threads=1)
    picture: Image.Image = rgb.to_image()  # type: ignore[no-untyped-call]
    turn = int(getattr(frame, "rotation", 0) or 0) % 360
    return picture.rotate(turn, expand=True) if turn in (90, 180, 270) else picture


def _upright(picture: Image.Image) -> Image.Image:
    """RGB in sRGB, the right way up, what was see-through on black; nothing else is left of it."""
    turned = ImageOps.exif_transpose(picture)
    profile = picture.info.get("icc_profile")
    if turned.mode.startswith("I"):
        turned = turned.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if turned.mode == "P" or "transparency" in turned.info:
        turned = turned.convert("RGBA")
    alpha = turned.getchannel("A") if "A" in turned.getbands() else None
    solid = _without_alpha(turned)
    colours = _in_srgb(solid, profile) if profile else solid
    rgb = colours.convert("RGB")
    if alpha is None:
        return rgb
    ground = Image.new("RGB", rgb.size)
    ground.paste(rgb, mask=alpha)
    return ground


def _without_alpha(picture: Image.Image) -> Image.Image:
    return picture.convert({"RGBA": "RGB", "LA": "L"}.get(picture.mode, picture.mode))


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """As it is where the profile is broken or for other colours than the picture has."""
    try:
        converted = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted or picture


def _write(picture: Image.Image, target: IO[bytes]) -> tuple[int, int]:
    picture.thumbnail((LONGEST_SIDE_USED, LONGEST_SIDE_USED), Image.Resampling.LANCZOS)
    # A picture without ``info``: a PNG has no other metadata than what it is given.
    plain = Image.frombytes("RGB", picture.size, picture.tobytes())
    plain.save(target, format="PNG", compress_level=3)
    target.flush()
    return plain.size


def _check_pixels(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise Refused("reference_too_many_pixels", width=width, height=height, most_pixels=most)
    if min(width, height) < LEAST_SIDE:
        raise Refused("reference_too_small", width=width, height=height, least=LEAST_SIDE)


class _Step(ctypes.Structure):
    """``struct sock_filter`` of linux/filter.h."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    """``struct sock_fprog`` of linux/filter.h."""

    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Step)))


def _deny_calls() -> None:
    """A seccomp filter: the calls of the list answer "permission denied", in this process alone."""
    known = _DENIED.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return
    architecture, denied = known
    load, equal, back = 0x20, 0x15, 0x06
    steps = [_Step(load, 0, 0, 4), _Step(equal, 1, 0, architecture), _Step(back, 0, 0, _KILL)]
    steps.append(_Step(load, 0, 0, 0))
    steps += [_Step(equal, len(denied) - at, 0, call) for at, call in enumerate(denied)]
    steps += [_Step(back, 0, 0, _ALLOW), _Step(back, 0, 0, _EACCES)]
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    if prctl(no_new_privileges, 1, 0, 0, 0) == 0:
        prctl(set_seccomp, by_filter, ctypes.byref(program), 0, 0)


def main(source: str, folder: str, wanted: list[str]) -> dict[str, Any]:
    try:
        return _read(source, folder, wanted)
    except OSError as fault:
        # Closing a file that could not be written says it once more.
        if fault.errno not in _NO_ROOM:
            raise
        return {"refused": "disk_full", "facts": {}}


def _read(source: str, folder: str, wanted: list[str]) -> dict[str, Any]:
    with ExitStack() as open_files:
        opened = open_files.enter_context(Path(source).open("rb"))
        targets = {
            name: open_files.enter_context((Path(folder) / f"{name}.png").open("wb"))
            for name in wanted
        }
        # Codecs, colour tables and encodings load what they need at their first use: before.
        _warm()
        shut_in()
        try:
            return stills(opened, targets)
        except Refused as refused:
            return {"refused": refused.code, "facts": refused.facts}
        except MemoryError:
            return {"refused": "reference_too_heavy", "facts": {}}
        except _DAMAGED as fault:
            if isinstance(fault, OSError) and fault.errno in _NO_ROOM:
                raise
            return {"refused": "reference_damaged", "facts": {}}


def _warm() -> None:
    Image.init()
    for name in ("PNG", "JPEG", "WEBP"):
        written = io.BytesIO()
        Image.new("RGB", (16, 16)).save(written, name)
        _upright(Image.open(written))
    ImageCms.createProfile("sRGB")
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    film.seek(0)
    _of_clip(film, {"last": io.BytesIO()})


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3:])
    sys.stdout.write(json.dumps(answer))
