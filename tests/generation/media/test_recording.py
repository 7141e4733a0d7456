import io
import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from generation.engines.framecode import read_frame_number
from generation.media.failure import MediaCode, MediaFailure
from generation.media.files import clear_partials, whole_folder
from generation.media.probing import probe
from generation.media.recording import Shape, record

STARTING = """
import itertools, resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from generation.media.failure import MediaFailure
from generation.media.recording import Shape, record

def noise(count, width=320, height=240):
    chance = np.random.default_rng(1)
    for _ in range(count):
        yield chance.integers(0, 256, (height, width, 3), dtype=np.uint8)

def shape(count, width=320, height=240):
    return Shape(frames=count, width=width, height=height, rate=Fraction(24))
"""

FULL = """
resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
try:
    record(noise(60), Path(sys.argv[1]) / "clip", shape(60))
except MediaFailure as failure:
    print(failure.code.value)
"""

# The master is of the worst quality, so that it is the light copy that meets the limit.
FULL_IN_PROXY = """
from generation.media import writer
met = []
put = writer.ClipWriter.write_picture
def noted(self, picture):
    try:
        put(self, picture)
    except MediaFailure:
        met.append(self.path.name)
        raise
writer.ClipWriter.write_picture = noted
resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))
try:
    record(noise(240), Path(sys.argv[1]) / "clip", shape(240), writer.Encoding(crf=51))
except MediaFailure as failure:
    print(*met, failure.code.value)
"""

KILLED = """
def endless():
    for number, frame in enumerate(noise(10**6)):
        if number == 30:
            print("writing", flush=True)
        yield frame
record(endless(), Path(sys.argv[1]) / "clip", shape(10**6))
"""

MEMORY = """
def flat(count):
    frame = np.zeros((360, 640, 3), np.uint8)
    for number in range(count):
        frame = frame.copy()
        frame[number % 360] = number % 255
        yield frame

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

record(flat(60), Path(sys.argv[1]) / "short", shape(60, 640, 360))
before = peak_mb()
record(flat(600), Path(sys.argv[1]) / "long", shape(600, 640, 360))
print(peak_mb() - before)
"""


def shape(frames, rate=Fraction(24)):
    return Shape(frames=frames, width=192, height=128, rate=rate)


def run(script, folder):
    return subprocess.run(
        [sys.executable, "-c", STARTING + script, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_one_pass_over_the_frames_makes_every_file(tmp_path, scene):
    recording = record(scene(48), tmp_path / "a", shape(48))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "clip.mp4",
        "poster.webp",
        "proxy.mp4",
        "sheet.vtt",
        "sheet.webp",
    ]
    assert probe(recording.clip.path).frames == 48
    assert probe(recording.proxy.path).frames == 48
    with Image.open(recording.poster.path) as poster:
        assert (poster.format, poster.size) == ("WEBP", (192, 128))
        assert read_frame_number(np.asarray(poster.convert("RGB"))) == 24


def test_each_tile_of_the_sheet_shows_the_frame_its_index_names(tmp_path, scene):
    recording = record(scene(50), tmp_path / "a", shape(50))
    index = recording.sheet.recipe
    assert len(index["tiles"]) == 24
    with Image.open(io.BytesIO(recording.sheet.path.read_bytes())) as opened:
        assert opened.size == (recording.sheet.width, recording.sheet.height)
        sheet = np.asarray(opened.convert("RGB"))
    for tile in index["tiles"]:
        x, y = tile["x"], tile["y"]
        picture = sheet[y : y + index["tile_height"], x : x + index["tile_width"]]
        assert read_frame_number(picture) == tile["frame"]


@pytest.mark.parametrize("rate", [Fraction(8), Fraction(24000, 1001), Fraction(60)])
def test_a_parser_of_webvtt_finds_in_each_cue_the_picture_of_its_frame(tmp_path, scene, rate):
    record(scene(60, rate=rate), tmp_path / "a", shape(60, rate), sheet_url="ren_sheet")
    with Image.open(tmp_path / "a" / "sheet.webp") as opened:
        sheet = np.asarray(opened.convert("RGB"))
    with av.open(str(tmp_path / "a" / "sheet.vtt"), format="webvtt") as track:
        cues = [
            (packet.pts * packet.time_base, packet.duration * packet.time_base, bytes(packet))
            for packet in track.demux()
            if packet.pts is not None
        ]
    assert len(cues) == 24
    for start, duration, said in cues:
        address, place = said.decode().split("#xywh=")
        x, y, width, height = map(int, place.split(","))
        frame = read_frame_number(sheet[y : y + height, x : x + width])
        assert address == "ren_sheet"
        assert abs(start - frame / rate) < Fraction(1, 1000)
        assert duration > 0
    ends = [start + duration for start, duration, _said in cues]
    assert ends[:-1] == [start for start, _duration, _said in cues[1:]], "no gap, no overlap"


def test_the_thumbnail_track_covers_the_clip_without_gaps(tmp_path, scene):
    recording = record(scene(5, rate=Fraction(2)), tmp_path / "a", shape(5, Fraction(2)))
    track = recording.sheet_index.as_vtt("/media/ren_1")
    assert track.startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\n/media/ren_1#xywh=0,0,192,128"
    )
    assert track.count("-->") == 5
    assert "--> 00:00:02.500\n" in track


def test_a_clip_of_one_frame_is_whole(tmp_path, scene):
    recording = record(scene(1), tmp_path / "a", shape(1))
    assert probe(recording.clip.path).frames == 1
    assert recording.sheet_index.tiles == (0,)


@pytest.mark.parametrize("made", [9, 11])
def test_fewer_or_more_frames_than_announced_leave_nothing(tmp_path, scene, made):
    with pytest.raises(MediaFailure) as failed:
        record(scene(made), tmp_path / "a", shape(10))
    assert failed.value.code is MediaCode.FRAMES_MISSING
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_engine_passes_unchanged_and_leaves_nothing(tmp_path, scene):
    lost = OSError("the engine's own")

    def broken():
        yield from scene(3)
        raise lost

    with pytest.raises(OSError, match="the engine's own") as raised:
        record(broken(), tmp_path / "a", shape(10))
    assert raised.value is lost
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_never_written_over(tmp_path, scene):
    record(scene(2), tmp_path / "a", shape(2))
    before = (tmp_path / "a" / "clip.mp4").read_bytes()
    with pytest.raises(MediaFailure):
        record(scene(3), tmp_path / "a", shape(3))
    assert (tmp_path / "a" / "clip.mp4").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_fills_in_the_light_copy_alone_leaves_nothing(tmp_path):
    assert run(FULL_IN_PROXY, tmp_path) == "proxy.mp4 disk_full"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [0, 4_096, 200_000])
def test_a_full_disk_is_said_and_no_half_file_stays(tmp_path, limit):
    assert run(FULL.replace("MOST_BYTES", str(limit)), tmp_path) == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_cleared_and_a_living_writer_is_not(tmp_path):
    killed = subprocess.Popen(
        [sys.executable, "-c", STARTING + KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "writing\n"
        assert clear_partials(tmp_path) == 0
        killed.send_signal(signal.SIGKILL)
    assert len(list(tmp_path.iterdir())) == 1
    assert clear_partials(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_clearing_spares_finished_folders(tmp_path):
    with whole_folder(tmp_path / "done") as partial:
        (partial / "file").touch()
        assert clear_partials(tmp_path) == 0
    assert clear_partials(tmp_path) == 0
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["file"]


def test_memory_does_not_grow_with_the_length_of_the_clip(tmp_path):
    # 540 more frames of 0.7 MB would be 370 MB if anything kept them.
    assert float(run(MEMORY, tmp_path)) < 40
