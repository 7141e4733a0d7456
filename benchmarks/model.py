"""How well the shipped model follows prompts it never saw; its keyframes, seams and speed.

``python benchmarks/model.py [--quick] [--keep NAME] [--folder DIR]``. The last line is one JSON
object. 60 held-out prompts, fixed seeds, eight steps, guidance 3, one thread; the judge is
``demo_model.detector``, whose own share of right answers on drawn clips stands beside
(``…_ceiling``) and on prompts that were shuffled (``…_shuffled``: chance).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from PIL import Image
from torch import Tensor

from demo_model import codec
from demo_model.detector import Detector, agreement, ceiling, detector
from demo_model.export import WEIGHTS
from demo_model.rendering import render
from demo_model.scenes import FRAMES, Scene, held_out_scenes, random_scene
from demo_model.score import PROMPTS, clip, load, rounded

ROOT = Path(__file__).resolve().parent.parent
BARS = {
    "style": 0.95,
    "background": 0.95,
    "colour": 0.95,
    "motion": 0.90,
    "motion10": 0.80,
    "shape": 0.50,
    "first_frame_db": 38,
    "seam_db": 32,
    "vae_db": 28,
}
MOST = {"turbo_drop": 0.10, "clip_s": 1.5, "folder_mb": 25, "load_s": 5}


def main() -> None:
    asked = _arguments()
    torch.set_num_threads(1)
    count = 12 if asked.quick else PROMPTS
    found = codec.read(load(asked.folder).vae)  # the libraries are imported on the way
    started = time.perf_counter()
    pipe = load(asked.folder)
    load_s = time.perf_counter() - started
    judge = detector(found)
    figures: dict[str, Any] = {
        **_adherence(pipe, judge, count),
        "shape_ceiling": ceiling(judge, found)["shape"],
        **_pictures(pipe, 4 if asked.quick else 12),
        "vae_db": round(_vae_db(pipe), 2),
        "load_s": round(load_s, 2),
        "folder_mb": round(_bytes(asked.folder) / 1e6, 2),
        "same_in_two_processes": _is_same(asked.folder),
        "prompts": count,
    }
    _tell(figures)
    if asked.keep:
        _keep(asked.keep, figures)
    print(json.dumps(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="12 prompts instead of 60")
    parser.add_argument("--keep", metavar="NAME", help="also write results/model-NAME.json")
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    parser.add_argument("--hash", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.hash:
        torch.set_num_threads(1)
        print(_frames_hash(load(asked.folder)))
        raise SystemExit
    return asked


def _adherence(pipe: Any, judge: Detector, count: int) -> dict[str, Any]:
    scenes = held_out_scenes()[:count]
    clip(pipe, scenes[0].prompt, seed=0, steps=2)  # the first clip of a process warms it
    normal, seconds = _made(pipe, scenes, 8)
    turbo, turbo_seconds = _made(pipe, scenes, 4)
    seen = judge.seen(normal)
    shares, quick = agreement(scenes, seen), agreement(scenes, judge.seen(turbo))
    shuffled = agreement(random.Random(1).sample(scenes, len(scenes)), seen)
    drop = max(shares[trait] - quick[trait] for trait in shares)
    return {
        **rounded(shares),
        "turbo_drop": round(drop, 3),
        "turbo": rounded(quick),
        "shuffled": rounded(shuffled),
        "clip_s": round(median(seconds), 3),
        "turbo_clip_s": round(median(turbo_seconds), 3),
    }


def _made(pipe: Any, scenes: list[Scene], steps: int) -> tuple[Tensor, list[float]]:
    clips, seconds = [], []
    for seed, scene in enumerate(scenes):
        started = time.perf_counter()
        clips.append(clip(pipe, scene.prompt, seed=seed, steps=steps))
        seconds.append(time.perf_counter() - started)
    return torch.stack(clips), seconds


def _pictures(pipe: Any, count: int) -> dict[str, float]:
    """The first frame against the autoencoder's own picture of what was given; the last frame
    against what was given there; seams of chains of three scenes."""
    chance = random.Random(5)
    scenes = [random_scene(chance) for _ in range(count)]
    drawn = render(scenes, chance)
    first, last = [], []
    for seed, (scene, truth) in enumerate(zip(scenes, drawn, strict=True)):
        given = {0: _picture(truth[:, 0]), FRAMES - 1: _picture(truth[:, -1])}
        made = clip(pipe, scene.prompt, seed=seed, steps=8, conditions=_conditions(given))
        first.append(codec.psnr(made[:, 0], _through(pipe, given[0])))
        last.append(codec.psnr(made[:, -1], truth[:, -1]))
    seams = [_seams(pipe, chance) for _ in range(max(1, count // 4))]
    return {
        "first_frame_db": round(mean(first), 2),
        "last_frame_db": round(mean(last), 2),
        "seam_db": round(min(seam for chain in seams for seam in chain), 2),
    }


def _seams(pipe: Any, chance: random.Random) -> list[float]:
    scene = random_scene(chance)
    before: Tensor | None = None
    found = []
    for seed, motion in enumerate(("moves right", "moves up", "shrinks")):
        prompt = scene.prompt.replace(scene.motion, motion)
        given = {} if before is None else {0: _picture(before)}
        made = clip(pipe, prompt, seed=seed, steps=8, conditions=_conditions(given))
        if before is not None:
            found.append(codec.psnr(made[:, 0], before))
        before = made[:, -1]
    return found


def _picture(frame: Tensor) -> Image.Image:
    levels = (frame.clamp(-1, 1) + 1).mul(127.5).round().byte()
    return Image.fromarray(levels.permute(1, 2, 0).numpy())


def _conditions(given: dict[int, Image.Image]) -> list[Any] | None:
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    made = [LTXVideoCondition(image=picture, frame_index=at) for at, picture in given.items()]
    return made or None


def _through(pipe: Any, picture: Image.Image) -> Tensor:
    given = pipe.video_processor.preprocess(picture)[:, :, None].to(pipe.vae.dtype)
    with torch.no_grad():
        out: Tensor = pipe.vae.decode(pipe.vae.encode(given).latent_dist.mode()).sample
    return out[0, :, 0].float()


def _vae_db(pipe: Any) -> float:
    chance = random.Random(99)
    clips = render([random_scene(chance) for _ in range(48)], chance)
    with torch.no_grad():
        latents = pipe.vae.encode(clips.to(pipe.vae.dtype)).latent_dist.mode()
        out = pipe.vae.decode(latents).sample.float()
    return codec.psnr(out, clips)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _is_same(folder: Path) -> bool:
    command = [sys.executable, __file__, "--hash", "--folder", str(folder)]
    found = {
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        for _ in range(2)
    }
    return len(found) == 1


def _frames_hash(pipe: Any) -> str:
    made = clip(pipe, held_out_scenes()[3].prompt, seed=7, steps=8)
    levels = (made + 1).mul(127.5).round().byte()
    return hashlib.sha256(levels.numpy().tobytes()).hexdigest()


def _tell(figures: dict[str, Any]) -> None:
    for name, bar in BARS.items():
        print(f"{name:16} {figures[name]:8.3f}   at least {bar}")
    print(f"{'shape':16} {figures['shape']:8.3f}   at least {0.8 * figures['shape_ceiling']:.3f}")
    for name, bar in MOST.items():
        print(f"{name:16} {figures[name]:8.3f}   at most {bar}")


def _keep(name: str, figures: dict[str, Any]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    path = ROOT / "benchmarks" / "results" / f"model-{name}.json"
    path.write_text(json.dumps({"commit": commit, **figures}, indent=2) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
