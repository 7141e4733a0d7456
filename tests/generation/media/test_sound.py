import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from generation.engines.protocol import Sound
from generation.media import sound as sounds
from generation.media.failure import MediaCode, MediaFailure
from generation.media.recording import Shape, record
from generation.media.sound import AAC_FRAME, RATES, fitted

CINEMA = Fraction(24000, 1001)


def tone(seconds, rate=24_000, channels=2, loud=0.5):
    wave = np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate).astype(np.float32)
    return Sound(samples=np.stack([wave * loud] * channels), rate=rate)


def recorded(folder, scene, sound, frames=48, rate=Fraction(24)):
    def stream():
        yield sound
        yield from scene(frames, rate=rate)

    return record(stream(), folder, Shape(frames=frames, width=192, height=128, rate=rate))


def heard(path):
    """Start, duration in seconds, and the samples, as an independent player has them."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        facts = (stream.start_time * stream.time_base, stream.duration * stream.time_base)
        pieces = [frame.to_ndarray() for frame in container.decode(stream)]
        return *facts, stream.codec_context, np.concatenate(pieces, axis=1)


@pytest.mark.parametrize("hertz", [24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["clip.mp4", "proxy.mp4"])
def test_sound_begins_and_ends_with_the_picture(tmp_path, scene, name, channels, hertz):
    recorded(tmp_path / "a", scene, tone(48 / CINEMA, hertz, channels), rate=CINEMA)
    start, duration, context, _samples = heard(tmp_path / "a" / name)
    frame = Fraction(AAC_FRAME, hertz)
    assert abs(start) < frame
    assert abs(duration - 48 / CINEMA) < frame
    assert (context.name, context.sample_rate, len(context.layout.channels)) == (
        "aac",
        hertz,
        channels,
    )


def test_what_is_heard_is_what_was_made(tmp_path, scene):
    sound = tone(2)
    recorded(tmp_path / "a", scene, sound)
    *_facts, samples = heard(tmp_path / "a" / "clip.mp4")
    error = samples[:, 2048:40_000] - sound.samples[:, 2048:40_000]
    assert np.sqrt((error**2).mean()) < 0.01


@pytest.mark.parametrize(("seconds", "cut", "padded"), [(1, 0, 24_000), (3, 24_000, 0), (2, 0, 0)])
def test_sound_is_cut_or_padded_to_the_clip_and_the_recipe_says_so(
    tmp_path, scene, seconds, cut, padded
):
    recording = recorded(tmp_path / "a", scene, tone(seconds))
    assert recording.clip.recipe["sound"] == {
        "codec": "aac",
        "rate": 24_000,
        "layout": "stereo",
        "cut_samples": cut,
        "padded_samples": padded,
    }
    _start, duration, _context, samples = heard(tmp_path / "a" / "clip.mp4")
    assert abs(duration - 2) < Fraction(AAC_FRAME, 24_000)
    is_silent = np.abs(samples[:, 30_000:46_000]).max() < 0.01
    assert is_silent == (seconds == 1)


def test_sound_stands_between_the_frames_it_belongs_to(tmp_path, scene):
    """A player that reads the file from its beginning never waits long for either."""
    recorded(tmp_path / "a", scene, tone(4), frames=96)
    times = {"video": Fraction(0), "audio": Fraction(0)}
    with av.open(str(tmp_path / "a" / "clip.mp4")) as container:
        for packet in container.demux():
            if packet.dts is not None:
                times[packet.stream.type] = packet.dts * packet.time_base
                assert abs(times["video"] - times["audio"]) < Fraction(3, 2), "apart in the file"


def test_a_clip_without_sound_has_no_track_and_no_waveform(tmp_path, scene):
    recording = record(
        scene(6), tmp_path / "a", Shape(frames=6, width=192, height=128, rate=Fraction(24))
    )
    assert recording.waveform is None
    assert "sound" not in recording.clip.recipe
    with av.open(str(recording.clip.path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize("channels", [1, 2])
def test_the_waveform_is_high_where_it_is_loud_and_flat_where_it_is_silent(channels):
    track = fitted(tone(1, channels=channels, loud=1.0), Fraction(2))
    with Image.open(io.BytesIO(track.waveform())) as picture:
        assert picture.size == (960, 48 * channels)
        opaque = np.asarray(picture.convert("RGBA"))[..., 3] > 0
    assert opaque[:, 240].sum() >= 44 * channels
    assert opaque[:, 720].sum() == channels


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.2, -7.0])
@pytest.mark.parametrize("place", [0, 30_000])
def test_a_sample_that_is_no_sound_fails_the_clip(tmp_path, scene, bad, place):
    sound = tone(2)
    sound.samples[1, place] = bad
    with pytest.raises(MediaFailure) as failed:
        recorded(tmp_path / "a", scene, sound)
    assert failed.value.code is MediaCode.SOUND_DAMAGED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sound",
    [
        Sound(samples=np.zeros((6, 100), np.float32), rate=24_000),
        Sound(samples=np.zeros(100, np.float32), rate=24_000),
        Sound(samples=np.zeros((1, 100), np.int16), rate=24_000),  # type: ignore[arg-type]
        Sound(samples=np.zeros((1, 100), np.float32), rate=23_999),
    ],
)
def test_sound_of_another_shape_type_or_rate_is_refused(tmp_path, scene, sound):
    with pytest.raises(MediaFailure) as failed:
        recorded(tmp_path / "a", scene, sound)
    assert failed.value.code is MediaCode.SOUND_WRONG
    assert list(tmp_path.iterdir()) == []


def test_sound_after_the_first_frame_is_refused(tmp_path, scene):
    def late():
        yield from scene(3)
        yield tone(1)

    with pytest.raises(MediaFailure) as failed:
        record(late(), tmp_path / "a", Shape(frames=4, width=192, height=128, rate=Fraction(24)))
    assert failed.value.code is MediaCode.SOUND_WRONG
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_gives_up_on_the_sound_leaves_nothing(tmp_path, scene, monkeypatch):
    """FFmpeg's own: it refuses what is no number, late in the clip."""
    sound = tone(2)
    sound.samples[:, 30_000:] = np.nan
    monkeypatch.setattr(sounds, "_check", lambda _sound: None)
    with pytest.raises(MediaFailure) as failed:
        recorded(tmp_path / "a", scene, sound)
    assert failed.value.code is MediaCode.ENCODER_FAILED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hertz", RATES)
def test_every_rate_that_is_allowed_can_be_written(tmp_path, scene, hertz):
    recorded(tmp_path / "a", scene, tone(1, hertz, 1), frames=24)
    _start, duration, _context, _samples = heard(tmp_path / "a" / "clip.mp4")
    assert abs(duration - 1) < Fraction(AAC_FRAME, hertz)
