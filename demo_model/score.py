"""``python -m demo_model.score DIR``: how well an exported folder follows 60 prompts it never saw.

The last line is one JSON object: shares that are right, by trait, and the judge's own on drawn
clips (``…_ceiling``).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demo_model import codec
from demo_model.detector import Detector, agreement, ceiling, detector
from demo_model.network import COORDINATE_RATE, GUIDANCE
from demo_model.scenes import FRAMES, SIDE, held_out_scenes

PROMPTS = 60


def clip(pipe: Any, prompt: str, *, seed: int, steps: int, **further: Any) -> Tensor:
    """Eight-bit frames as the engine makes them, here as (3, 17, 64, 64) of -1 … 1."""
    frames = pipe(
        prompt=prompt,
        negative_prompt="",
        width=SIDE,
        height=SIDE,
        num_frames=FRAMES,
        frame_rate=COORDINATE_RATE,
        num_inference_steps=steps,
        timesteps=even(steps),
        guidance_scale=GUIDANCE,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="np",
        **further,
    ).frames[0]
    levels = np.round(np.asarray(frames) * 255)
    return torch.from_numpy(levels).float().permute(3, 0, 1, 2) / 127.5 - 1


def even(steps: int) -> list[float]:
    """The pipeline's own spacing would spend half of few steps on nearly pure noise."""
    return [1000 * (steps - step) / steps for step in range(steps)]


def scores(pipe: Any, judge: Detector, *, count: int = PROMPTS, steps: int = 8) -> dict[str, float]:
    """Shares that are right among the first ``count`` held-out prompts."""
    asked = held_out_scenes()[:count]
    clips = [clip(pipe, scene.prompt, seed=place, steps=steps) for place, scene in enumerate(asked)]
    return rounded(agreement(asked, judge.seen(torch.stack(clips))))


def rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 3) for name, share in shares.items()}


def load(folder: Path) -> Any:
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, dtype=torch.bfloat16
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo_model.score", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=8)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    pipe = load(asked.folder)
    found = codec.read(pipe.vae)
    judge = detector(found)
    reached = scores(pipe, judge, steps=asked.steps)
    most = {f"{name}_ceiling": share for name, share in rounded(ceiling(judge, found)).items()}
    print(json.dumps({**reached, **most}))  # noqa: T201


if __name__ == "__main__":
    main()
