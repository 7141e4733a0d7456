"""The weights in this repository do what their card says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from demo_model.detector import Detector

pytestmark = pytest.mark.torch
WEIGHTS = Path(__file__).parents[2] / "demo_model" / "weights"


def test_the_folder_is_small_and_holds_nothing_but_safetensors() -> None:
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25e6
    known = {".safetensors", ".json", ".md", ".webp"}
    assert {path.suffix for path in files} <= known


def test_plain_diffusers_loads_it_in_bf16(shipped: Any) -> None:
    import torch

    assert type(shipped).__name__ == "LTXConditionPipeline"
    assert shipped.transformer.dtype == torch.bfloat16


def test_it_shows_what_unseen_prompts_ask_for(shipped: Any, judge: Detector) -> None:
    from demo_model.score import scores

    shares = scores(shipped, judge, count=20)
    assert shares["style"] >= 0.9, shares
    assert shares["background"] >= 0.9, shares
    assert shares["colour"] >= 0.9, shares
    assert shares["motion10"] >= 0.6, shares
    assert shares["shape"] >= 0.5, shares


def test_capitals_are_read_as_small_letters(shipped: Any) -> None:
    small = shipped.tokenizer("a big red circle").input_ids
    assert shipped.tokenizer("A Big RED circle").input_ids == small
    assert len(small) == 5  # four words and the end


def test_a_look_changes_the_style_and_leaves_nothing_behind(shipped: Any, judge: Detector) -> None:
    import torch

    from demo_model.scenes import LOOKS, held_out_scenes
    from demo_model.score import clip

    scene = held_out_scenes()[0]
    plain = clip(shipped, scene.prompt, seed=1, steps=8)
    for look in LOOKS:
        shipped.load_lora_weights(
            str(WEIGHTS / "styles"), weight_name=f"{look}.safetensors", adapter_name=look
        )
        styled = clip(shipped, scene.prompt, seed=1, steps=8)
        shipped.unload_lora_weights()
        assert judge.seen(styled[None])[0].style == look
    assert torch.equal(clip(shipped, scene.prompt, seed=1, steps=8), plain)


def test_the_same_seed_makes_the_same_frames_in_two_processes() -> None:
    root = WEIGHTS.parents[1]
    command = [sys.executable, str(root / "benchmarks" / "model.py"), "--hash"]
    found = [
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout
        for _ in range(2)
    ]
    assert len(found[0].strip()) == 64
    assert found[0] == found[1]


def test_the_card_names_the_figures_that_were_measured() -> None:
    card = (WEIGHTS / "README.md").read_text()
    kept = WEIGHTS.parents[1] / "benchmarks" / "results" / "model-cpu-2-cores.json"
    figures = json.loads(kept.read_text())
    for key in ("style", "background", "colour", "motion", "motion10", "shape", "turbo_drop"):
        assert f"| {figures[key]} |" in card, key
    assert (WEIGHTS / "sheet.webp").is_file()
