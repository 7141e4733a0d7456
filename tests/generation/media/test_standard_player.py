"""What an independent reader says of the files: ``ffprobe`` where it is installed, else PyAV."""

import json
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from generation.engines.protocol import Sound
from generation.media.boxes import boxes
from generation.media.probing import probe
from generation.media.recording import Shape, record
from generation.media.sound import AAC_FRAME

HERTZ = 48_000
TAGS = {
    "codec_name": "h264",
    "pix_fmt": "yuv420p",
    "color_range": "tv",
    "color_space": "bt709",
    "color_transfer": "bt709",
    "color_primaries": "bt709",
}


def said_of(path):
    return by_ffprobe(path) if shutil.which("ffprobe") else by_pyav(path)


def by_ffprobe(path):
    asked = ["ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", str(path)]
    found = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    streams = {one["codec_type"]: one for one in found["streams"]}
    video, audio = streams["video"], streams["audio"]
    pictures = [one for one in found["packets"] if one["codec_type"] == "video"]
    pictures.sort(key=lambda one: float(one["pts_time"]))
    return {
        "tags": {name: video[name] for name in TAGS},
        "size": (video["width"], video["height"]),
        "rate": Fraction(video["r_frame_rate"]),
        "average": Fraction(video["avg_frame_rate"]),
        "frames": len(pictures),
        "keyframes": [place for place, one in enumerate(pictures) if "K" in one["flags"]],
        "sound": (audio["codec_name"], float(audio["start_time"]), float(audio["duration"])),
    }


def by_pyav(path):
    facts = probe(path)
    with av.open(str(path)) as container:
        audio = container.streams.audio[0]
        start = float(audio.start_time * audio.time_base)
        sound = (audio.codec_context.name, start, float(audio.duration * audio.time_base))
    numbers = (facts.primaries, facts.transfer, facts.matrix, facts.colour_range)
    said = {"codec_name": facts.codec, "pix_fmt": facts.pixels}
    return {
        "tags": TAGS | said if numbers == (1, 1, 1, 1) else {**said, "numbers": numbers},
        "size": (facts.width, facts.height),
        "rate": facts.rate,
        "average": facts.rate,
        "frames": facts.frames,
        "keyframes": list(facts.keyframes),
        "sound": sound,
    }


@pytest.fixture
def finished(tmp_path, scene):
    def made(rate):
        def stream():
            tone = np.sin(np.arange(3 * HERTZ, dtype=np.float32) / 20) * np.float32(0.5)
            yield Sound(samples=np.stack([tone, tone]), rate=HERTZ)
            yield from scene(60, 850, 482, rate)

        shape = Shape(frames=60, width=850, height=482, rate=rate)
        return record(stream(), tmp_path / "a", shape)

    return made


@pytest.mark.parametrize("reader", [said_of, by_pyav])
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(30000, 1001)])
def test_a_standard_reader_agrees_with_all_that_we_promise(finished, rate, reader):
    recording = finished(rate)
    promised = [
        (recording.clip, (850, 482), -(-rate // 1)),
        (recording.proxy, (846, 480), -(-rate // 2)),
    ]
    for file, size, most_between_keyframes in promised:
        said = reader(file.path)
        assert said["tags"] == TAGS
        assert said["size"] == size == (file.width, file.height)
        assert said["rate"] == said["average"] == rate
        assert said["frames"] == 60
        gaps = [later - key for key, later in pairwise([*said["keyframes"], 60])]
        assert said["keyframes"][0] == 0
        assert max(gaps) <= most_between_keyframes
        codec, start, duration = said["sound"]
        assert codec == "aac"
        assert abs(start) < AAC_FRAME / HERTZ
        assert abs(duration - float(60 / rate)) < AAC_FRAME / HERTZ
        assert [kind for kind, _length in boxes(file.path)][:2] == ["ftyp", "moov"]
