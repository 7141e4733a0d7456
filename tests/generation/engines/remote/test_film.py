"""Colours and sound of what a server sends, as the servers write them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from generation.engines.protocol import EngineFailure, FailureCode, Sound

PATCHES = [(220, 30, 30), (30, 200, 60), (40, 60, 220), (128, 128, 128)]


def picture():
    frame = np.zeros((96, 128, 3), np.uint8)
    for place, colour in enumerate(PATCHES):
        frame[:, place * 32 : (place + 1) * 32] = colour
    return frame


def written(path, *, matrix, tagged, frames=9, full=False, sound_s=None, channels=2):
    """As an exporter would: the matrix it used, and whether it says so."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.options = {"crf": "4"}
        if tagged:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = ColorRange.JPEG if full else ColorRange.MPEG
        sound = None
        if sound_s is not None:
            layout = {1: "mono", 2: "stereo"}[channels]
            sound = container.add_stream("aac", rate=48_000, layout=layout)
        reformatter = VideoReformatter()
        for number in range(frames):
            shown = reformatter.reformat(
                av.VideoFrame.from_ndarray(picture(), format="rgb24"),
                format="yuv420p",
                interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
                dst_colorspace=matrix,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            )
            shown.pts, shown.time_base = number, Fraction(1, 8)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
        if sound is not None:
            times = np.arange(int(sound_s * 48_000)) / 48_000
            wave = np.sin(2 * np.pi * 440 * times).astype(np.float32) * 0.5
            planes = np.stack([wave] * channels)
            for start in range(0, planes.shape[1], 1024):
                piece = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(planes[:, start : start + 1024]), "fltp", layout
                )
                piece.rate, piece.pts = 48_000, start
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path.read_bytes()


def worst_error(frame):
    middles = [frame[48, place * 32 + 16].astype(int) for place in range(len(PATCHES))]
    return max(np.abs(np.array(middles) - np.array(PATCHES)).max(axis=1))


@pytest.mark.parametrize(
    ("dialect", "matrix", "tagged", "full"),
    [
        ("sglang", Colorspace.ITU601, False, False),
        ("vllm-omni", Colorspace.ITU601, False, False),
        ("fastvideo", Colorspace.ITU601, False, False),
        ("sglang", Colorspace.ITU709, True, False),
        ("greenroom", Colorspace.ITU709, True, False),
        ("greenroom", Colorspace.ITU709, False, False),
        ("greenroom", Colorspace.ITU601, True, False),
        ("sglang", Colorspace.ITU709, True, True),
    ],
)
def test_colours_come_home_as_they_were_made(
    dialect, matrix, tagged, full, loaded, order_of, watching, tmp_path
):
    server, engine, folder = loaded(dialect)
    server.film = written(tmp_path / "film.mp4", matrix=matrix, tagged=tagged, full=full)
    frames = list(engine.render(order_of(checkpoint=folder), watching()))
    assert worst_error(frames[4]) <= 3


def test_the_guess_matters(loaded, order_of, watching, tmp_path):
    """The control: read with the other matrix, an untagged file is visibly wrong."""
    server, engine, folder = loaded("greenroom")
    server.film = written(tmp_path / "film.mp4", matrix=Colorspace.ITU601, tagged=False)
    frames = list(engine.render(order_of(checkpoint=folder), watching()))
    assert worst_error(frames[4]) > 8


@pytest.mark.parametrize("channels", [1, 2])
def test_a_sound_track_comes_first_and_is_as_long_as_the_clip(
    channels, loaded, order_of, watching, tmp_path
):
    server, engine, folder = loaded("vllm-omni", has_sound=True)
    server.film = written(
        *(tmp_path / "film.mp4",),
        matrix=Colorspace.ITU709,
        tagged=True,
        sound_s=1.5,
        channels=channels,
    )
    sound, *frames = engine.render(order_of(checkpoint=folder), watching())
    assert isinstance(sound, Sound)
    assert sound.samples.shape == (channels, 9 * 48_000 // 8)
    assert (sound.samples.dtype, sound.rate) == (np.float32, 48_000)
    assert 0.4 < np.abs(sound.samples).max() <= 1
    assert len(frames) == 9
    assert server.did("POST")[0].fields["generate_sound"] == "true"


def test_sound_that_the_model_is_not_known_to_make_is_left_out(
    loaded, order_of, watching, tmp_path
):
    server, engine, folder = loaded("vllm-omni")
    server.film = written(tmp_path / "film.mp4", matrix=Colorspace.ITU709, tagged=True, sound_s=1.0)
    pieces = list(engine.render(order_of(checkpoint=folder), watching()))
    assert len(pieces) == 9
    assert not any(isinstance(piece, Sound) for piece in pieces)
    assert "generate_sound" not in server.did("POST")[0].fields


def test_a_clip_without_its_sound_is_still_a_clip(loaded, order_of, watching):
    _, engine, folder = loaded("vllm-omni", has_sound=True)
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def growing(path, side):
    """Five pictures of the size announced, then four larger ones in the same stream."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.options = {"tune": "zerolatency"}
        for number in range(5):
            container.mux(stream.encode(shown(picture(), number)))
        container.mux(stream.encode(None))
        other = av.CodecContext.create("libx264", "w")
        other.width, other.height, other.pix_fmt = side, side, "yuv420p"
        other.framerate, other.time_base = Fraction(8), Fraction(1, 8)
        other.options = {"tune": "zerolatency"}
        large = np.zeros((side, side, 3), np.uint8)
        for number in range(5, 9):
            for packet in other.encode(shown(large, number)):
                packet.stream, packet.time_base = stream, Fraction(1, 8)
                container.mux(packet)
    return path.read_bytes()


def shown(rgb, number):
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 8)
    return frame


@pytest.mark.parametrize(("side", "told"), [(1024, "cannot be read"), (160, "160x160")])
def test_pictures_that_grow_on_the_way_are_refused_and_large_ones_take_no_memory(
    side, told, loaded, order_of, watching, tmp_path
):
    server, engine, folder = loaded("sglang")
    server.film = growing(tmp_path / "film.mp4", side)
    with pytest.raises(EngineFailure) as failed:
        list(engine.render(order_of(checkpoint=folder), watching()))
    assert failed.value.code is FailureCode.REMOTE_GARBAGE
    assert told in failed.value.detail
