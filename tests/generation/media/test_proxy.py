from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from generation.engines.framecode import read_frame_number
from generation.media.probing import probe
from generation.media.proxy import proxy_size
from generation.media.recording import Shape, record

CINEMA = Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1920, 1080), (854, 480)),
        ((1080, 1920), (480, 854)),
        ((1024, 1024), (480, 480)),
        ((850, 482), (846, 480)),
        ((768, 512), (720, 480)),
        ((640, 360), (640, 360)),
        ((192, 128), (192, 128)),
    ],
)
def test_the_light_copy_has_at_most_480_even_lines_and_is_never_enlarged(size, small):
    assert proxy_size(*size) == small


def grainy(frames):
    """As a camera sees: without grain a drawn scene is so light that no copy of it is lighter."""
    chance = np.random.default_rng(1)
    for frame in frames:
        grain = chance.integers(-12, 13, frame.shape, np.int16)
        yield np.clip(frame + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("rate", [CINEMA, Fraction(24), Fraction(25), Fraction(60)])
def test_it_has_every_frame_at_the_masters_time_and_colours_tagged(tmp_path, scene, rate):
    shape = Shape(frames=40, width=850, height=482, rate=rate)
    record(grainy(scene(40, 850, 482, rate)), tmp_path / "a", shape)
    light, master = probe(tmp_path / "a" / "proxy.mp4"), probe(tmp_path / "a" / "clip.mp4")
    assert (light.width, light.height, light.codec, light.pixels) == (846, 480, "h264", "yuv420p")
    assert light.times == master.times == tuple(number / rate for number in range(40))
    assert light.rate == master.rate == rate
    assert (light.primaries, light.transfer, light.matrix, light.colour_range) == (1, 1, 1, 1)
    assert light.is_faststart
    half_second = -(-rate // 2)
    assert max(b - a for a, b in pairwise((*light.keyframes, 40))) <= half_second
    with av.open(str(tmp_path / "a" / "proxy.mp4")) as container:
        numbers = [read_frame_number(one.to_ndarray(format="rgb24")) for one in container.decode()]
    assert numbers == [*range(40)]


def test_its_colours_are_the_masters(tmp_path):
    """Plain patches: what a reviewer sees of a colour must not depend on the copy."""
    patches = [(220, 30, 30), (0, 255, 0), (30, 30, 220), (128, 128, 128), (255, 255, 255)]
    frames = [np.broadcast_to(np.uint8(patch), (720, 960, 3)).copy() for patch in patches]
    record(
        frames, tmp_path / "a", Shape(frames=len(frames), width=960, height=720, rate=Fraction(24))
    )
    for light, master in zip(
        *(planes(tmp_path / "a" / n) for n in ("proxy.mp4", "clip.mp4")), strict=True
    ):
        assert np.abs(light - master).max() <= 2


def planes(path):
    """Luma and both colour differences in the middle of each picture, undecoded to RGB."""
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            packed = picture.to_ndarray(format="yuv420p").astype(int)
            high, wide = picture.height, picture.width
            halves = packed[high:].reshape(2, high // 2, wide // 2)
            yield np.array([packed[high // 2, wide // 2], *halves[:, high // 4, wide // 4]])


def test_it_is_small_even_where_the_master_cannot_be(tmp_path):
    """Noise is the worst there is: the bound on its bits holds over the whole clip."""
    chance = np.random.default_rng(1)
    frames = (chance.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(72))
    recording = record(
        frames, tmp_path / "a", Shape(frames=72, width=640, height=480, rate=Fraction(24))
    )
    most = 1_000_000 / 8 * (3 + 1)  # three seconds and a full buffer
    assert recording.proxy.facts.size_bytes < most < recording.clip.facts.size_bytes


def test_of_a_very_small_clip_the_masters_own_bytes_are_the_light_copy(tmp_path, scene):
    recording = record(
        scene(8, 128, 96, Fraction(8)),
        tmp_path / "a",
        Shape(frames=8, width=128, height=96, rate=Fraction(8)),
    )
    clip, light = recording.clip, recording.proxy
    assert light.facts.sha256 == clip.facts.sha256
    assert (light.width, light.height) == (128, 96)
    assert light.recipe == {"same_as": "master"}
    assert light.path.name == "proxy.mp4"
    assert light.path.samefile(clip.path), "one file under two names"


def test_a_light_copy_is_never_heavier_than_its_master(tmp_path, scene):
    for number, (width, height, frames) in enumerate(
        [(128, 96, 1), (192, 128, 24), (850, 482, 12)]
    ):
        recording = record(
            scene(frames, width, height),
            tmp_path / str(number),
            Shape(frames=frames, width=width, height=height, rate=Fraction(24)),
        )
        light, clip = recording.proxy, recording.clip
        assert light.facts.size_bytes <= clip.facts.size_bytes
        is_same = light.facts.size_bytes == clip.facts.size_bytes
        assert is_same == (light.recipe == {"same_as": "master"})
