import hashlib
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from generation.engines.framecode import read_frame_number
from generation.media.failure import MediaCode, MediaFailure
from generation.media.probing import probe
from generation.media.writer import ClipWriter

CINEMA = Fraction(24000, 1001)


def write(path, frames, *, width=192, height=128, rate=Fraction(24)):
    with ClipWriter(path, width=width, height=height, rate=rate) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.written


def decoded(path):
    """RGB by the book: BT.709, limited range, no help from the library that wrote it."""
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            luma, red, blue = planes(picture)
            y, u, v = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
            r, b = y + 1.5748 * v, y + 1.8556 * u
            g = (y - 0.2126 * r - 0.0722 * b) / 0.7152
            yield np.clip(np.stack([r, g, b], -1) * 255, 0, 255).round().astype(np.uint8)


def planes(picture):
    height, width = picture.height, picture.width
    packed = picture.to_ndarray(format="yuv420p").astype(float)
    luma = packed[:height]
    blue, red = packed[height:].reshape(2, height // 2, width // 2)
    return luma, *(half.repeat(2, 0).repeat(2, 1) for half in (red, blue))


def test_colours_come_back_within_three_levels_on_flat_patches(tmp_path):
    chance = np.random.default_rng(3)
    corners = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    patches = [*corners, (220, 30, 30), *chance.integers(0, 256, (40, 3)).tolist()]
    frames = [np.broadcast_to(np.uint8(p), (128, 192, 3)).copy() for p in patches]
    write(tmp_path / "flat.mp4", frames)
    for patch, frame in zip(patches, decoded(tmp_path / "flat.mp4"), strict=True):
        error = np.abs(frame[32:-32, 32:-32].astype(int) - patch).max()
        assert error <= 3, (patch, error)


def test_every_frame_arrives_once_in_order_and_at_its_exact_time(tmp_path, scene):
    write(tmp_path / "clip.mp4", scene(60, rate=CINEMA), rate=CINEMA)
    facts = probe(tmp_path / "clip.mp4")
    assert facts.frames == 60
    assert facts.times == tuple(number / CINEMA for number in range(60))
    assert [read_frame_number(frame) for frame in decoded(tmp_path / "clip.mp4")] == [*range(60)]


@pytest.mark.parametrize("rate", [CINEMA, Fraction(8), Fraction(25), Fraction(60000, 1001)])
def test_the_rate_stays_exact(tmp_path, scene, rate):
    write(tmp_path / "clip.mp4", scene(7), rate=rate)
    assert probe(tmp_path / "clip.mp4").rate == rate


def test_the_file_says_what_it_is(tmp_path, scene):
    write(tmp_path / "clip.mp4", scene(72))
    facts = probe(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.codec, facts.pixels) == (192, 128, "h264", "yuv420p")
    assert (facts.primaries, facts.transfer, facts.matrix, facts.colour_range) == (1, 1, 1, 1)
    assert facts.is_faststart


def test_there_is_a_keyframe_each_second(tmp_path, scene):
    write(tmp_path / "clip.mp4", scene(100))
    places = (*probe(tmp_path / "clip.mp4").keyframes, 100)
    assert places[0] == 0
    assert max(b - a for a, b in pairwise(places)) <= 24


def test_1080_lines_stay_1080_lines(tmp_path, scene):
    write(tmp_path / "hd.mp4", scene(3, 1920, 1080), width=1920, height=1080)
    facts = probe(tmp_path / "hd.mp4")
    assert (facts.width, facts.height) == (1920, 1080)


def test_the_hash_is_that_of_the_bytes_on_disk(tmp_path, scene):
    written = write(tmp_path / "clip.mp4", scene(5))
    content = (tmp_path / "clip.mp4").read_bytes()
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    assert written.size_bytes == len(content)


@pytest.mark.parametrize("size", [(191, 128), (192, 127)])
def test_odd_sizes_are_refused_before_anything_is_written(tmp_path, size):
    with pytest.raises(MediaFailure) as failed:
        ClipWriter(tmp_path / "odd.mp4", width=size[0], height=size[1], rate=Fraction(24))
    assert failed.value.code is MediaCode.SIZE_ODD
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frame", [np.zeros((128, 190, 3), np.uint8), np.zeros((128, 192, 3), np.float32)]
)
def test_a_frame_of_another_shape_or_type_leaves_no_file(tmp_path, scene, frame):
    with pytest.raises(MediaFailure) as failed:
        write(tmp_path / "clip.mp4", [*scene(3), frame])
    assert failed.value.code is MediaCode.FRAME_WRONG
    assert list(tmp_path.iterdir()) == []


def test_no_frames_make_no_file(tmp_path):
    with pytest.raises(MediaFailure) as failed:
        write(tmp_path / "clip.mp4", [])
    assert failed.value.code is MediaCode.FRAMES_MISSING
    assert list(tmp_path.iterdir()) == []


def test_the_callers_own_error_passes_and_leaves_what_was_there(tmp_path, scene):
    (tmp_path / "clip.mp4").write_bytes(b"the old one")

    def broken():
        yield from scene(3)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        write(tmp_path / "clip.mp4", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == b"the old one"
