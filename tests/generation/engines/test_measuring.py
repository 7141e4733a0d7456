"""Likeness of pictures by its own definition, and a tier measured and kept."""

import json
import math
import shutil
from contextlib import closing

import numpy as np
import pytest

from generation.engines.local.measuring import (
    SAME_DB,
    keep_measured,
    measure,
    psnr,
    ssim,
    unmeasured_tiers,
)
from generation.engines.local.reading import read_checkpoint
from generation.engines.local.tiers import Measured


def noise(seed, side=24):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_equal_pictures_are_equal():
    assert ssim(noise(1), noise(1)) == pytest.approx(1.0)
    assert psnr(noise(1), noise(1)) == SAME_DB


def test_flat_pictures_have_the_ssim_of_the_formula():
    dark, bright = (np.full((16, 16, 3), level, dtype=np.uint8) for level in (60, 180))
    c1 = (0.01 * 255) ** 2
    expected = (2 * 60 * 180 + c1) / (60**2 + 180**2 + c1)
    assert ssim(dark, bright) == pytest.approx(expected, rel=1e-9)
    assert psnr(dark, bright) == pytest.approx(20 * math.log10(255 / 120))


def test_ssim_is_its_definition_window_by_window():
    one, other = noise(1), noise(2)
    luma = np.array([0.2126, 0.7152, 0.0722])
    x, y = one.astype(float) @ luma, other.astype(float) @ luma
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for row in range(24 - 10):
        for column in range(24 - 10):
            a = x[row : row + 11, column : column + 11]
            b = y[row : row + 11, column : column + 11]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a = (window * (a - mean_a) ** 2).sum()
            var_b = (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            found.append(
                (2 * mean_a * mean_b + c1)
                * (2 * both + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    assert ssim(one, other) == pytest.approx(np.mean(found), abs=1e-9)


@pytest.fixture
def folder(tiny_folder, tmp_path):
    made = shutil.copytree(tiny_folder, tmp_path / "tiny")
    preset = json.loads((made / "greenroom.json").read_text())
    tiers = {
        "standard": {"steps": 4},
        "turbo": {"steps": 4, "cache": {"name": "first_block", "threshold": 10.0}},
    }
    (made / "greenroom.json").write_text(json.dumps(preset | {"tiers": tiers}))
    return made


@pytest.mark.torch
def test_a_tier_is_measured_on_the_same_seeds_and_its_checkpoint_then_passes(
    folder, order_of, watching
):
    from generation.engines.local.diffusers_engine import DiffusersEngine
    from generation.engines.protocol import EngineFailure

    assert unmeasured_tiers(folder) == ("turbo",)
    with pytest.raises(EngineFailure, match="lever_unmeasured"):
        read_checkpoint(folder)
    orders = [
        order_of(checkpoint=folder, width=64, height=64, frames=5, steps=4, seed=seed)
        for seed in (1, 2)
    ]
    with closing(DiffusersEngine(unmeasured=True)) as engine:
        engine.load(folder)
        same = measure(engine, orders[:1], tier="standard", watch=watching())
        found = measure(engine, orders, tier="turbo", watch=watching())
    assert same == Measured(ssim=1.0, psnr_db=SAME_DB, against="standard", orders=1)
    assert 0 < found.ssim < 1
    assert 0 < found.psnr_db < SAME_DB
    assert found.orders == 2
    keep_measured(folder, "turbo", found)
    assert read_checkpoint(folder).preset.tiers["turbo"].measured == found
    assert unmeasured_tiers(folder) == ()
