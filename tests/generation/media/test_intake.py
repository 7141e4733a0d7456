"""What somebody sent is read apart from the house: what is taken, what is refused, what is left."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from generation.media import intake
from generation.media.intake import CHILD, IntakeRefused, take_in

GPS = 0x8825
LATITUDE = {1: "N", 2: (52.0, 22.0, 12.0), 3: "E", 4: (4.0, 53.0, 42.0)}


def a_picture(
    mode: str = "RGB", size: tuple[int, int] = (60, 40), colour: Any = None
) -> Image.Image:
    return Image.new(mode, size, colour if colour is not None else "teal")


def as_bytes(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def a_film(seconds: float = 1, rate: int = 8, *, size: tuple[int, int] = (64, 48)) -> bytes:
    """Frames that grow brighter, from black to white."""
    written = io.BytesIO()
    frames = round(seconds * rate)
    with av.open(written, "w", format="mp4") as container:
        stream: Any = container.add_stream("h264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            level = 255 * number // max(1, frames - 1)
            plain = np.full((size[1], size[0], 3), level, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain, format="rgb24")))
        container.mux(stream.encode(None))
    return written.getvalue()


def a_sound() -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream: Any = container.add_stream("aac", rate=48_000)
        for _ in range(10):
            samples = np.zeros((1, 1024), dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 48_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()


def a_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small PNG whose header promises billions of pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Any]:
    def read_it(content: bytes, wanted: Any = (0, "last")) -> Any:
        source, folder = tmp_path / "sent", tmp_path / "kept"
        source.write_bytes(content)
        folder.mkdir()
        return take_in(source, folder, wanted)

    return read_it


def pixels(still: Any) -> Any:
    with Image.open(still.file.path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        return np.asarray(picture).astype(int)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")],
)
def test_a_picture_is_taken_by_its_content(read: Any, kind: str, media_type: str) -> None:
    taken = read(as_bytes(a_picture(), kind))
    assert (taken.media_type, taken.frames, taken.rate) == (media_type, 1, 0)
    (still,) = taken.stills
    assert (still.frame, still.width, still.height) == (0, 60, 40)
    assert abs(pixels(still)[20, 30] - (0, 128, 128)).max() <= 3
    assert [path.name for path in still.file.path.parent.iterdir()] == ["0.png"]


def test_nothing_of_place_camera_or_words_is_left(read: Any) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "A maker", "A camera 5000"
    exif.get_ifd(GPS).update(LATITUDE)
    xmp = b"<x:xmpmeta><exif:GPSLatitude>52,22.2N</exif:GPSLatitude></x:xmpmeta>"
    sent = as_bytes(a_picture(), "JPEG", exif=exif, xmp=xmp, comment=b"made at home")
    with Image.open(io.BytesIO(sent)) as before:
        assert before.getexif().get_ifd(GPS)[2] == (52.0, 22.0, 12.0)
        assert b"GPSLatitude" in before.info["xmp"]
    used = read(sent).stills[0].file.path.read_bytes()
    for word in (
        b"A maker",
        b"A camera",
        b"GPS",
        b"made at home",
        b"eXIf",
        b"tEXt",
        b"iTXt",
        b"zTXt",
    ):
        assert word not in used
    with Image.open(io.BytesIO(used)) as after:
        assert not after.getexif()
        assert not after.info


def test_words_in_a_png_are_gone_too(read: Any) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Location", "52.37 N, 4.89 E")
    used = read(as_bytes(a_picture(), pnginfo=words)).stills[0].file.path.read_bytes()
    assert b"52.37" not in used


def test_a_picture_is_turned_as_its_camera_was_held(read: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    half = a_picture(colour="black")
    half.paste((255, 255, 255), (0, 0, 30, 40))
    still = read(as_bytes(half, "JPEG", exif=exif, quality=95)).stills[0]
    assert (still.width, still.height) == (40, 60)
    shown = pixels(still)
    assert shown[5].mean() > 240
    assert shown[55].mean() < 15


def test_another_colour_space_becomes_srgb(read: Any) -> None:
    """A profile without a curve: the colours must be converted, not copied."""
    wide = a_picture(colour=(200, 40, 40))
    linear = _linear_profile()
    still = read(as_bytes(wide, icc_profile=linear)).stills[0]
    red, green, blue = pixels(still)[20, 30]
    # Linear 200/255 is far lighter in sRGB: 227; 40/255 is 110.
    assert abs(red - 227) <= 3
    assert abs(green - 110) <= 3
    assert abs(blue - 110) <= 3


def _linear_profile() -> bytes:
    """sRGB's own primaries without its curve: the curves of the built-in profile replaced."""
    plain = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", plain[128:132])[0]
    for number in range(count):
        entry = 132 + 12 * number
        name, offset, size = struct.unpack(">4sII", plain[entry : entry + 12])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            curve = b"curv" + b"\0" * 4 + struct.pack(">I", 0)  # no points: the identity
            plain[offset : offset + size] = curve.ljust(size, b"\0")[:size]
    return bytes(plain)


def test_a_broken_profile_is_passed_over(read: Any) -> None:
    still = read(as_bytes(a_picture(), icc_profile=b"no profile at all")).stills[0]
    assert tuple(pixels(still)[20, 30]) == (0, 128, 128)


def test_print_colours_and_deep_greys_are_read(read: Any, tmp_path: Path) -> None:
    ink = as_bytes(a_picture("CMYK", colour=(255, 0, 0, 0)), "JPEG", quality=95)
    assert abs(pixels(read(ink).stills[0])[20, 30] - (0, 255, 255)).max() <= 3
    deep = Image.fromarray(np.full((40, 60), 0x8000, dtype=np.uint16))
    folder = tmp_path / "deep"
    folder.mkdir()
    (tmp_path / "deep.png").write_bytes(as_bytes(deep))
    taken = take_in(tmp_path / "deep.png", folder)
    assert tuple(pixels(taken.stills[0])[20, 30]) == (128, 128, 128)


def test_what_is_see_through_stands_on_black(read: Any) -> None:
    still = read(as_bytes(a_picture("RGBA", colour=(255, 255, 255, 128)))).stills[0]
    assert abs(pixels(still)[20, 30] - 128).max() <= 1


def test_a_large_picture_is_made_smaller(read: Any) -> None:
    still = read(as_bytes(a_picture(size=(6000, 600)), "JPEG")).stills[0]
    assert (still.width, still.height) == (4096, 410)


def test_a_clip_gives_its_first_and_last_frame(read: Any) -> None:
    taken = read(a_film())
    assert (taken.media_type, taken.frames, taken.rate) == ("video/mp4", 8, Fraction(8))
    first, last = taken.stills
    assert (first.frame, last.frame) == (0, 7)
    assert pixels(first).mean() < 5
    assert pixels(last).mean() > 250


def test_any_frame_of_a_clip_can_be_asked_for(read: Any) -> None:
    (still,) = read(a_film(), [4]).stills
    assert still.frame == 4
    assert 130 < pixels(still).mean() < 160
    assert still.file.path.name == "4.png"


def test_a_frame_beyond_the_end_is_left_out(read: Any, tmp_path: Path) -> None:
    assert read(a_film(), [99]).stills == ()
    assert list((tmp_path / "kept").iterdir()) == []


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a PDF with the name of a picture": (lambda: b"%PDF-1.7\n%\xe2\xe3", "reference_type_unknown"),
    "a page": (lambda: b"<!doctype html><script>alert(1)</script>", "reference_type_unknown"),
    "a GIF": (lambda: as_bytes(a_picture(), "GIF"), "reference_type_unknown"),
    "a TIFF": (lambda: as_bytes(a_picture(), "TIFF"), "reference_type_unknown"),
    "nothing": (lambda: b"", "reference_type_unknown"),
    "half a JPEG": (lambda: as_bytes(Image.effect_noise((90, 90), 80), "JPEG")[:1500],
                    "reference_damaged"),
    "half a PNG": (lambda: as_bytes(Image.effect_noise((90, 90), 80))[:1500], "reference_damaged"),
    "a PNG of eight bytes": (lambda: b"\x89PNG\r\n\x1a\n", "reference_damaged"),
    "a bomb": (a_bomb, "reference_too_many_pixels"),
    "a bomb in a line": (lambda: a_bomb(2**31 - 1, 16), "reference_too_many_pixels"),
    "a picture of one line": (lambda: as_bytes(a_picture(size=(60, 1))), "reference_too_small"),
    "a WebP that moves": (
        lambda: as_bytes(
            a_picture(), "WEBP", save_all=True, append_images=[a_picture(colour="red")]
        ),
        "reference_animated",
    ),
    "a PNG that moves": (
        lambda: as_bytes(a_picture(), save_all=True, append_images=[a_picture(colour="red")]),
        "reference_animated",
    ),
    "an MP4 of sound alone": (a_sound, "reference_without_picture"),
    "an MP4 of an hour": (lambda: a_film(3600, 1, size=(32, 32)), "reference_too_long"),
    "an MP4 of eleven seconds": (lambda: a_film(11), "reference_too_long"),
    "half an MP4": (lambda: a_film()[:700], "reference_damaged"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(read: Any, what: str) -> None:
    content, code = REFUSED[what]
    with pytest.raises(IntakeRefused) as refused:
        read(content())
    assert refused.value.code == code


def test_of_a_file_that_is_two_things_only_the_picture_is_used(read: Any) -> None:
    sent = as_bytes(a_picture()) + b"PK\x03\x04 <script>alert(1)</script>"
    used = read(sent).stills[0].file.path.read_bytes()
    assert b"script" not in used
    assert used.endswith(b"IEND\xaeB`\x82")


def test_whatever_kills_the_reader_is_a_refusal(
    read: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    killed = tmp_path / "child.py"
    killed.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr(intake, "CHILD", killed)
    with pytest.raises(IntakeRefused) as refused:
        read(as_bytes(a_picture()))
    assert refused.value.code == "reference_too_heavy"


def test_a_reader_that_never_ends_is_given_up(read: Any, monkeypatch: Any, tmp_path: Path) -> None:
    endless = tmp_path / "child.py"
    endless.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(intake, "CHILD", endless)
    monkeypatch.setattr(intake, "PATIENCE_S", 0.5)
    with pytest.raises(IntakeRefused) as refused:
        read(as_bytes(a_picture()))
    assert refused.value.code == "reference_too_heavy"


SHUT = f"""
import sys
sys.path.insert(0, {str(CHILD.parent)!r})
import intake_child, os, socket
intake_child.shut_in()
deeds = {{
    "memory": lambda: bytearray(3 * 2**30),
    "open": lambda: open("/etc/hostname"),
    "write": lambda: open("/tmp/somewhere", "w"),
    "connect": lambda: socket.socket(),
    "fork": os.fork,
    "run": lambda: os.execv("/bin/true", ["true"]),
    "end": lambda: os.kill(1, 0),
}}
for name, deed in deeds.items():
    try:
        deed()
    except (MemoryError, PermissionError, BlockingIOError):
        print(name)
"""


def test_the_reader_can_do_nothing_but_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHUT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["memory", "open", "write", "connect", "fork", "run", "end"]
