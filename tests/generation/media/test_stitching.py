"""Two parts of a clip as one stream: frames in order, the shared one once, sound to the sample."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from generation.engines.protocol import Sound, Stopped
from generation.media.decoding import frames_of, sound_of
from generation.media.failure import MediaFailure
from generation.media.recording import Shape, record
from generation.media.stitching import joined, stitched

RATE = Fraction(24)


def tone(seconds, rate=24_000, channels=2, hertz=440):
    wave = np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return Sound(samples=np.stack([wave.astype(np.float32) * 0.5] * channels), rate=rate)


def stream(frames, sound=None):
    if sound is not None:
        yield sound
    yield from frames


@pytest.fixture
def before(tmp_path, scene):
    def made(sound=None, frames=12):
        shape = Shape(frames=frames, width=192, height=128, rate=RATE)
        record(stream(scene(frames), sound), tmp_path / "before", shape)
        return tmp_path / "before" / "clip.mp4"

    return made


def whole(path, after, *, frames=12, passed=lambda _number: None):
    return list(stitched(path, after, frames=frames, rate=RATE, passed=passed))


def test_the_shared_frame_is_there_once(before, scene):
    path, after = before(), list(scene(5))
    heard = []
    made = whole(path, iter(after), passed=heard.append)
    assert len(made) == 12 + 5 - 1
    for one, other in zip(made[:12], frames_of(path), strict=True):
        assert (one == other).all()
    for one, other in zip(made[12:], after[1:], strict=True):
        assert one is other
    assert heard == list(range(1, 13))


def test_a_clip_of_another_length_than_was_said_is_refused(before, scene):
    with pytest.raises(MediaFailure, match="12 frames instead of 13"):
        whole(before(), scene(5), frames=13)


def test_whoever_listens_may_end_it(before, scene):
    def stop(number):
        if number == 3:
            raise Stopped

    with pytest.raises(Stopped):
        whole(before(), scene(5), passed=stop)


def test_sound_of_both_lies_where_its_frames_are(before, scene):
    path = before(tone(0.5))
    made = whole(path, stream(scene(13), tone(13 / 24, hertz=880)))
    sound = made[0]
    assert isinstance(sound, Sound)
    assert sound.samples.shape == (2, 24_000)  # twelve frames and twelve new ones: a second
    # Which of the two tones is louder, a tenth of a second from where they meet.
    for start, hertz in ((8_000, 440), (13_000, 880)):
        spectrum = np.abs(np.fft.rfft(sound.samples[0, start : start + 2_400]))
        assert round(int(spectrum.argmax()) * 10, -1) == hertz


@pytest.mark.parametrize(("first", "second"), [(None, (24_000, 2)), ((48_000, 1), (24_000, 2))])
def test_sound_is_brought_to_the_rate_and_the_channels_of_what_is_new(before, scene, first, second):
    path = before(tone(0.5, *first) if first else None)
    sound = joined(sound_of(path), tone(13 / 24, *second), frames=12, rate=RATE)
    assert (sound.rate, sound.samples.shape) == (24_000, (2, 24_000))
    loudest = float(np.abs(sound.samples[:, 2_000:10_000]).max())
    assert loudest == pytest.approx(0.5, abs=0.1) if first else loudest == 0


def test_a_clip_with_sound_goes_on_in_silence(tmp_path, before, scene):
    path = before(tone(0.5))
    shape = Shape(frames=23, width=192, height=128, rate=RATE)
    made = stitched(path, scene(12), frames=12, rate=RATE, passed=lambda _number: None)
    recording = record(made, tmp_path / "whole", shape)
    assert recording.waveform is not None
    samples = sound_of(tmp_path / "whole" / "clip.mp4").samples
    assert np.abs(samples[:, 1_000:10_000]).max() > 0.4
    assert np.abs(samples[:, 15_000:22_000]).max() < 0.01


def test_a_clip_without_sound_stays_without(before, scene):
    assert not any(isinstance(one, Sound) for one in whole(before(), scene(5)))
