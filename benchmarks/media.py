"""Our encoder against the ffmpeg command line on the same frames; its memory; its colours.

``python benchmarks/media.py [--quick] [--keep NAME]``. The last line is one JSON object. Needs the
``ffmpeg`` program for the comparison (``apt-get install ffmpeg``).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from generation.engines.order import Order
from generation.engines.protocol import Sound, Stage, Watch
from generation.engines.still import StillEngine
from generation.media.proxy import ProxyWriter
from generation.media.recording import Shape, record
from generation.media.sound import Track, fitted
from generation.media.writer import ClipWriter, Encoding

Frame = npt.NDArray[np.uint8]

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, RATE = 1920, 1080, Fraction(24)
LONGEST = 240  # ten seconds: memory is told of the longest clip, in a quick run too
HERTZ = 48_000
DISTINCT = 24
COMPARED = ("ffmpeg", "ours")
EXTRA_ROUNDS = 2
FACTOR_BAR = 10
SHORT = 48  # of all 240 the exporter would hold some twenty gigabytes
BARS = {"encode_ratio": 1.15, "host_memory_mb": 250.0, "colour_error_max": 3.0}


class Unwatched(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody looks."""


def main() -> None:
    options = parsed()
    if options.memory_of:
        measured = plain_memory_mb if options.plain else memory_mb
        print(measured(options.memory_of))
        return
    if shutil.which("ffmpeg") is None:
        sys.exit("The ffmpeg program is missing; install it (apt-get install ffmpeg) to compare.")
    count, rounds = (48, 3) if options.quick else (LONGEST, 5)
    load = os.getloadavg()[0]
    print(f"1920x1080, {count} frames, {rounds} paired rounds, {os.cpu_count()} cores")
    print(f"load before the start {load:.1f}; times on a busy machine decide nothing")
    figures = compared(count, rounds)
    figures["load_before"] = round(load, 2)
    figures |= memory()
    figures["colour_error_max"] = colour_error_max(40 if options.quick else 400)
    for name, bar in BARS.items():
        verdict = "holds" if figures[name] <= bar else "MISSED"
        print(f"{name:18} {figures[name]:8}  bar {bar:6}  {verdict}")
    told = "no torch here" if (factor := figures.get("memory_factor")) is None else f"{factor:8}"
    print(
        f"{'memory_factor':18} {told}  at least {FACTOR_BAR}, of {SHORT} frames against {LONGEST}"
    )
    if options.keep:
        keep(options.keep, figures)
    print(json.dumps(figures))


def parsed() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="48 frames instead of 240")
    options.add_argument("--keep", metavar="NAME", help="also write results/media-NAME.json")
    options.add_argument("--memory-of", type=int, default=0, help=argparse.SUPPRESS)
    options.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    return options.parse_args()


def compared(count: int, rounds: int) -> dict[str, Any]:
    """In turn, the first of each thrown away; medians, so that one busy moment does not decide."""
    frames = grainy_frames()
    ways: dict[str, Callable[[Path, int], None]] = {
        "ffmpeg": lambda path, n: by_ffmpeg(islice(cycle(frames), n), path),
        "ours": lambda path, n: by_us(islice(cycle(frames), n), path),
        "ours and the proxy": lambda path, n: by_us_and_proxy(islice(cycle(frames), n), path),
        "ours with sound": lambda path, n: by_us(islice(cycle(frames), n), path, track_of(n)),
        "all files, with sound": lambda path, n: by_record(islice(cycle(frames), n), path, n),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            # Forwards and backwards in turn: whoever comes second must not always be the same.
            for name, way in list(ways.items())[:: 1 if turn % 2 else -1]:
                if turn > EXTRA_ROUNDS and name not in COMPARED:
                    continue  # their cost is told by processor seconds, which vary less
                started, worked = time.perf_counter(), processor_s(name)
                way(Path(folder) / f"{name} {turn}.mp4", count if turn else DISTINCT)
                if turn:
                    times[name].append(time.perf_counter() - started)
                    work[name].append(processor_s(name) - worked)
        sizes = {name: size_of(Path(folder) / f"{name} {EXTRA_ROUNDS}.mp4") for name in ways}
    for name, taken in times.items():
        print(
            f"{name:28} median {median(taken):6.2f} s  {count / median(taken):6.1f} frames/s"
            f"  processor {median(work[name]):6.2f} s  {sizes[name] / 2**20:5.2f} MiB"
        )
    pairs = [a / b for a, b in zip(times["ours"], times["ffmpeg"], strict=True)]
    own = median(work["ours"][:EXTRA_ROUNDS])
    return {
        "encode_ratio": round(median(times["ours"]) / median(times["ffmpeg"]), 3),
        "encode_ratio_range": [round(min(pairs), 3), round(max(pairs), 3)],
        "processor_ratio": round(median(work["ours"]) / median(work["ffmpeg"]), 3),
        "proxy_cost_ratio": round(median(work["ours and the proxy"]) / own - 1, 3),
        "sound_cost_ratio": round(median(work["ours with sound"]) / own - 1, 3),
        "all_files_cost_ratio": round(median(work["all files, with sound"]) / own - 1, 3),
        "frames": count,
        "ours_s": round(median(times["ours"]), 3),
        "ffmpeg_s": round(median(times["ffmpeg"]), 3),
    }


def processor_s(name: str) -> float:
    """Seconds of processor, which a busy machine does not stretch; ffmpeg is a child process."""
    who = resource.RUSAGE_CHILDREN if name == "ffmpeg" else resource.RUSAGE_SELF
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def grainy_frames() -> list[Frame]:
    """The still engine's scene under film grain: without grain an encoder has too little to do."""
    chance = np.random.default_rng(1)
    return [
        np.clip(frame + chance.integers(-6, 7, frame.shape, np.int16), 0, 255).astype(np.uint8)
        for frame in StillEngine().render(order(DISTINCT), Unwatched())
    ]


def order(frames: int) -> Order:
    return Order(
        prompt="a quiet harbour",
        seed=1,
        frames=frames,
        rate=RATE,
        width=WIDTH,
        height=HEIGHT,
        steps=1,
    )


def by_us(frames: Iterator[Frame], path: Path, sound: Track | None = None) -> None:
    with ClipWriter(path, width=WIDTH, height=HEIGHT, rate=RATE, sound=sound) as writer:
        for frame in frames:
            writer.write(frame)


def by_us_and_proxy(frames: Iterator[Frame], path: Path) -> None:
    proxy_path = path.with_name(f"proxy of {path.name}")
    with (
        ClipWriter(path, width=WIDTH, height=HEIGHT, rate=RATE) as writer,
        ProxyWriter(proxy_path, width=WIDTH, height=HEIGHT, rate=RATE) as proxy,
    ):
        for frame in frames:
            proxy.take(writer.write(frame))


def by_record(frames: Iterator[Frame], path: Path, count: int) -> None:
    """Clip, proxy, poster, sheet, index and waveform, as the worker makes them."""
    shape = Shape(frames=count, width=WIDTH, height=HEIGHT, rate=RATE)
    record(chain((sound_of(count),), frames), path, shape)


def sound_of(count: int) -> Sound:
    """Noise under a tone in stereo: what an encoder of sound has to work for."""
    samples = np.random.default_rng(3).random((2, int(count / RATE * HERTZ)), np.float32)
    samples *= 0.2
    samples += 0.5 * np.sin(np.arange(samples.shape[1], dtype=np.float32) / 20)
    return Sound(samples=samples, rate=HERTZ)


def track_of(count: int) -> Track:
    return fitted(sound_of(count), count / RATE)


def by_ffmpeg(frames: Iterator[Frame], path: Path) -> None:
    """The same settings in its own words: colours, threads, keyframes, index first."""
    settings = Encoding()
    convert = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_inp"
    command = (
        f"ffmpeg -v error -y -f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -r {RATE} -i -"
        f" -vf {convert} -pix_fmt yuv420p -c:v libx264 -preset {settings.preset}"
        f" -crf {settings.crf} -g {RATE} -threads {settings.threads} -color_primaries bt709"
        " -color_trc bt709 -colorspace bt709 -color_range tv -movflags +faststart"
    )
    with subprocess.Popen([*command.split(), str(path)], stdin=subprocess.PIPE) as program:
        assert program.stdin is not None
        for frame in frames:
            program.stdin.write(frame.data)
        program.stdin.close()
    if program.returncode:
        sys.exit("ffmpeg failed.")


def size_of(path: Path) -> int:
    return (path / "clip.mp4" if path.is_dir() else path).stat().st_size


def memory() -> dict[str, float]:
    """Ours with ten seconds, and the exporter of diffusers with two, which ought to be easier for
    it: the factor at the same length is greater still."""
    ours = memory_in_a_process_of_its_own(LONGEST)
    found = {"host_memory_mb": round(ours, 1)}
    if find_spec("diffusers") is not None:
        plain = memory_in_a_process_of_its_own(SHORT, "--plain")
        found |= {"plain_memory_mb": round(plain, 1), "memory_factor": round(plain / ours, 1)}
    return found


def memory_in_a_process_of_its_own(count: int, *further: str) -> float:
    command = [sys.executable, __file__, "--memory-of", str(count), *further]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def plain_memory_mb(count: int) -> float:
    """The same of what a pipeline returns for these frames, and the exporter it comes with."""
    import torch  # noqa: F401 - no import may count
    from diffusers.utils import export_utils

    before = resident_mb("VmRSS")
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.float32)
    for place, frame in enumerate(StillEngine().render(order(count), Unwatched())):
        frames[place] = np.asarray(frame, np.float32) / 255
    with tempfile.TemporaryDirectory() as folder:
        export_utils.encode_video(frames, int(RATE), str(Path(folder) / "clip.mp4"))
    return resident_mb("VmHWM") - before


def memory_mb(count: int) -> float:
    """Highest resident memory of one clip with all its files above what the imports hold."""
    before = resident_mb("VmRSS")
    with tempfile.TemporaryDirectory() as folder:
        by_record(StillEngine().render(order(count), Unwatched()), Path(folder) / "clip", count)
    return resident_mb("VmHWM") - before


def resident_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def colour_error_max(count: int) -> int:
    """Largest error in the middle of a flat patch, decoded with the formulas of BT.709 alone."""
    chance = np.random.default_rng(2)
    corners = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    patches = np.array([*corners, *chance.integers(0, 256, (count, 3)).tolist()])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flat.mp4"
        with ClipWriter(path, width=320, height=192, rate=RATE) as writer:
            for patch in patches:
                writer.write(np.broadcast_to(patch.astype(np.uint8), (192, 320, 3)).copy())
        with av.open(str(path)) as container:
            shown = np.array([middle_colour(picture) for picture in container.decode(video=0)])
    return int(np.abs(shown - patches).max())


def middle_colour(picture: av.VideoFrame) -> npt.NDArray[np.int_]:
    packed = picture.to_ndarray(format="yuv420p").astype(float)
    luma = packed[: picture.height]
    halves = packed[picture.height :].reshape(2, picture.height // 2, picture.width // 2)
    y = (luma[picture.height // 2, picture.width // 2] - 16) / 219
    u, v = (halves[:, picture.height // 4, picture.width // 4] - 128) / 224
    red, blue = y + 1.5748 * v, y + 1.8556 * u
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.clip(np.array([red, green, blue]) * 255, 0, 255).round().astype(int)


def keep(name: str, figures: dict[str, Any]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    kept = {"commit": commit, "machine": platform.platform(), "cores": os.cpu_count(), **figures}
    path = ROOT / "benchmarks" / "results" / f"media-{name}.json"
    path.write_text(json.dumps(kept, indent=2) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
