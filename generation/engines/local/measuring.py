"""How far a quicker tier is from the lossless one: the same orders rendered by both, compared.

SSIM is Wang, Bovik, Sheikh and Simoncelli (2004): an 11 × 11 Gaussian window of deviation 1.5,
K1 = 0.01 and K2 = 0.03, here on luma (BT.709) without the border. PSNR is over all three colours.
Measured on real weights only: what random ones make is noise, and says nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from generation.engines.local.checkpoint import Checkpoint, read_json
from generation.engines.local.reading import read_checkpoint
from generation.engines.local.tiers import LOSSLESS, Measured, is_lossy
from generation.engines.order import Order
from generation.engines.protocol import Engine, Frame, Sound, Watch

if TYPE_CHECKING:
    Plane = npt.NDArray[np.float64]

SAME_DB = 100.0
"""Stands for the infinite PSNR of equal pictures, which JSON cannot say."""
_DEVIATION = 1.5
_RADIUS = 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LUMA = np.array([0.2126, 0.7152, 0.0722])


def unmeasured_tiers(folder: Path) -> tuple[str, ...]:
    """Lossy tiers of a checkpoint that nobody measured yet. Raises ``EngineFailure``."""
    tiers = read_checkpoint(folder, unmeasured=True).preset.tiers
    return tuple(
        name for name, tier in tiers.items() if is_lossy(name, tier) and tier.measured is None
    )


def measure(
    engine: Engine, orders: Sequence[Order], *, tier: str, watch: Watch, against: str = LOSSLESS
) -> Measured:
    """``orders`` are of the lossless tier; each is rendered again as ``tier``, with that tier's
    steps. ``engine`` is loaded, and knows its checkpoint unmeasured. Raises what rendering does.
    """
    if not orders:
        raise ValueError("nothing to measure on")
    found = read_checkpoint(orders[0].checkpoint, unmeasured=True)
    likeness = [_likeness(engine, found, order, tier, against, watch) for order in orders]
    return Measured(
        ssim=round(float(np.mean([ssim for ssim, _ in likeness])), 4),
        psnr_db=round(float(np.mean([psnr for _, psnr in likeness])), 2),
        against=against,
        orders=len(orders),
    )


def keep_measured(folder: Path, tier: str, measured: Measured) -> None:
    """Into ``greenroom.json``, whole or not at all."""
    path = folder / "greenroom.json"
    plain = read_json(path)
    plain["tiers"][tier]["measured"] = asdict(measured)
    partial = path.with_name(".greenroom.json.partial")
    with partial.open("w") as opened:
        opened.write(json.dumps(plain, indent=2) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    partial.rename(path)


def ssim(one: Frame, other: Frame) -> float:
    """Of two pictures of equal size, at least 11 × 11; 1 for equal ones."""
    x, y = (picture.astype(np.float64) @ _LUMA for picture in (one, other))
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    likeness = ((2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)) / (
        (mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)
    )
    return float(likeness.mean())


def psnr(one: Frame, other: Frame) -> float:
    """Decibels; ``SAME_DB`` for equal pictures."""
    error = float(((one.astype(np.float64) - other.astype(np.float64)) ** 2).mean())
    return SAME_DB if error == 0 else min(SAME_DB, 10 * log10(255**2 / error))


def _likeness(
    engine: Engine, found: Checkpoint, order: Order, tier: str, against: str, watch: Watch
) -> tuple[float, float]:
    lossless, quicker = (_as(found, order, name) for name in (against, tier))
    with _kept_frames(engine, lossless, watch) as frames:
        pairs = zip(frames, _frames(engine, quicker, watch), strict=True)
        found_by_frame = [(ssim(one, other), psnr(one, other)) for one, other in pairs]
    means = np.mean(np.array(found_by_frame), axis=0)
    return float(means[0]), float(means[1])


def _as(found: Checkpoint, order: Order, name: str) -> Order:
    tier = found.preset.tiers[name]
    steps = tier.steps or (len(tier.sigmas) if tier.sigmas else order.steps)
    return replace(order, tier=name, steps=steps)


@contextmanager
def _kept_frames(engine: Engine, order: Order, watch: Watch) -> Iterator[npt.NDArray[np.uint8]]:
    """On the disk meanwhile: ten seconds at 1080p are a gigabyte and a half."""
    shape = (order.frames, order.height, order.width, 3)
    with tempfile.TemporaryFile() as file:
        kept = np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        for number, frame in enumerate(_frames(engine, order, watch)):
            kept[number] = frame
        yield kept


def _frames(engine: Engine, order: Order, watch: Watch) -> Iterator[Frame]:
    with closing(engine.render(order, watch)) as made:
        for one in made:
            if not isinstance(one, Sound):
                yield one


def _blurred(plane: Plane) -> Plane:
    """By rows, then by columns; what the window does not wholly cover is left out."""
    window = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _DEVIATION) ** 2)
    window /= window.sum()
    views = np.lib.stride_tricks.sliding_window_view
    rows = views(plane, len(window), axis=0) @ window
    blurred: Plane = views(rows, len(window), axis=1) @ window
    return blurred
