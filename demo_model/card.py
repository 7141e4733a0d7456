"""``python -m demo_model.card FIGURES.json``: the model card beside the weights, and its pictures.

FIGURES is what ``benchmarks/model.py --keep`` wrote. The contact sheet is made here and now from
the weights themselves: 24 held-out prompts, five frames each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from demo_model.export import WEIGHTS
from demo_model.network import GUIDANCE
from demo_model.scenes import (
    BACKGROUNDS,
    COLOURS,
    LOOKS,
    MOTIONS,
    SHAPES,
    SIDE,
    STYLES,
    held_out_scenes,
)
from demo_model.score import clip, load

_SHOWN, _SHEET = (0, 4, 8, 12, 16), 24
_ROW, _TEXT = 2 * SIDE, 24


def sheet(pipe: Any, path: Path) -> None:
    """Two columns of twelve clips, each under its prompt, at twice their size."""
    width = len(_SHOWN) * _ROW
    made = Image.new("RGB", (2 * width + 16, (_SHEET // 2) * (_ROW + _TEXT)), "white")
    draw = ImageDraw.Draw(made)
    for place, scene in enumerate(held_out_scenes()[:_SHEET]):
        left, top = (place % 2) * (width + 16), (place // 2) * (_ROW + _TEXT)
        draw.text((left + 4, top + 6), scene.prompt, fill="black")
        made.paste(_strip(clip(pipe, scene.prompt, seed=place, steps=8)), (left, top + _TEXT))
    made.save(path, lossless=False, quality=80)


def _strip(frames: torch.Tensor) -> Image.Image:
    shown = torch.cat([frames[:, at] for at in _SHOWN], 2)
    levels = (shown + 1).mul(127.5).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(levels).resize((len(_SHOWN) * _ROW, _ROW), Image.Resampling.LANCZOS)


def text(figures: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {name} | {figures[key]} | {bar} |"
        for name, key, bar in (
            ("style", "style", "≥ 0.95"),
            ("background", "background", "≥ 0.95"),
            ("colour", "colour", "≥ 0.95"),
            ("motion, four directions", "motion", "≥ 0.90"),
            ("motion, all ten", "motion10", "≥ 0.80"),
            ("shape", "shape", "≥ 0.50, and ≥ 0.8 of the ceiling"),
            ("shape, the judge's own ceiling", "shape_ceiling", "–"),
            ("most that turbo loses on any of these", "turbo_drop", "≤ 0.10"),
            ("first frame given: its likeness, dB", "first_frame_db", "≥ 38"),
            ("seams between chained windows, dB", "seam_db", "≥ 32"),
            ("autoencoder, dB", "vae_db", "≥ 28"),
            ("seconds a clip, one thread", "clip_s", "≤ 1.5"),
            ("the folder, MB", "folder_mb", "≤ 25"),
        )
    )
    return f"""# Moving shapes: the small model that Greenroom ships

A text-to-video diffusion model that anybody can run on one processor core. It draws one shape that
moves over a background. It is the first model of a new house, the ground truth of its tests, and an
example to read: the code that made it is `demo_model/`.

- **Made of** the stock LTX-Video classes of diffusers: a transformer of 2.8 million parameters, a
  T5 text encoder of two layers trained with it, and an autoencoder whose weights are computed, not
  trained (principal components of drawn clips). `DiffusionPipeline.from_pretrained` loads it.
- **Makes** windows of 17 frames of 64 × 64 pixels at 8 frames a second. Longer clips are chained:
  each window begins with the last frame of the one before. Larger files are resized, and say so.
- **Takes** words, a first frame, or a first and a last frame.
- **Trained on** nothing but clips drawn by `demo_model/rendering.py` while training: no picture or
  video of anybody. Licence of the weights: the project's own, Apache-2.0.

## What it knows

`a SIZE COLOUR SHAPE MOTION over a BACKGROUND [gradient] background, STYLE style`

| | |
|---|---|
| size | small, big |
| colour | {_listed(COLOURS)} |
| shape | {_listed(SHAPES)} |
| motion | {_listed(MOTIONS)} |
| background | {_listed(BACKGROUNDS)} |
| style | {_listed(STYLES)} |

and a few other words for the same (ball, box, rises, falls, violet …); `greenroom.json` lists all.
Two looks it does not have come as LoRA weights in `styles/`: {_listed(LOOKS)}.

## How well it follows

{figures["prompts"]} prompts whose combination of colour, shape and motion never occurred in
training (all cyan stars, all spinning yellow squares, an eleventh of all others); fixed seeds,
eight steps, guidance {GUIDANCE:g}. The judge measures frames and has not seen the prompt. It knows
drawn clips that went through the autoencoder, some with noise on their latents, and no generated
one.

| share that is right | | asked for |
|---|---|---|
{rows}

With the prompts shuffled, the judge finds {_listed(_shuffled(figures))} right: chance.

![24 held-out prompts](sheet.webp)

## Its limits

It ignores words it does not know. It knows one object at a time, no camera, no text, no sound. Thin
points of small stars are soft: a latent stands for 16 × 16 pixels. A circle that spins looks like
one that rests. What is small and bounces may leave a faint trace of where it was. Few steps (turbo)
cost a little likeness, as the table says.

## Made again

```sh
python -m demo_model.train --minutes 240 --out var/demo_model
python -m demo_model.train --minutes 15 --out var/demo_model --look blueprint
python -m demo_model.export --from var/demo_model
python benchmarks/model.py --keep cpu-2-cores
python -m demo_model.card benchmarks/results/model-cpu-2-cores.json
```
"""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _shuffled(figures: dict[str, Any]) -> list[str]:
    return [f"{trait} {share:.2f}" for trait, share in figures["shuffled"].items()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo_model.card", description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    asked = parser.parse_args()
    figures = json.loads(asked.figures.read_text())
    (asked.folder / "README.md").write_text(text(figures))
    sheet(load(asked.folder), asked.folder / "sheet.webp")


if __name__ == "__main__":
    main()
