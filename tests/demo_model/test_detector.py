"""The judge is judged: right on what it can see, at chance on prompts that were shuffled."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from demo_model.codec import Codec
    from demo_model.detector import Detector

pytestmark = pytest.mark.torch


def test_the_judge_is_right_on_drawn_clips(judge: Detector, found: Codec) -> None:
    from demo_model.detector import ceiling

    shares = ceiling(judge, found, clips=100)
    assert min(shares.values()) > 0.85, shares


def test_the_judge_falls_to_chance_on_shuffled_prompts(judge: Detector, found: Codec) -> None:
    from demo_model.detector import agreement, through
    from demo_model.rendering import render
    from demo_model.scenes import random_scene

    chance = random.Random(4)
    scenes = [random_scene(chance) for _ in range(100)]
    seen = judge.seen(through(found, render(scenes, chance)))
    shares = agreement(chance.sample(scenes, len(scenes)), seen)
    most = {"style": 0.45, "background": 0.35, "colour": 0.35, "motion": 0.3, "motion10": 0.25}
    for trait, bar in {**most, "shape": 0.45}.items():
        assert shares[trait] < bar, shares


def test_looks_are_told_from_styles(judge: Detector, found: Codec) -> None:
    from dataclasses import replace

    from demo_model.detector import through
    from demo_model.rendering import render
    from demo_model.scenes import LOOKS, random_scene

    chance = random.Random(8)
    scenes = [replace(random_scene(chance), style=look) for look in LOOKS for _ in range(10)]
    seen = judge.seen(through(found, render(scenes, chance)))
    assert sum(one.style == two.style for one, two in zip(scenes, seen, strict=True)) >= 18
