"""The engine without a model: a quiet landscape drawn with numpy, the same on every run.

It serves tests and the first minutes of an installation. The prompt chooses palette and ridges, the
seed the way things move; each frame carries its number (``framecode``).
"""

from __future__ import annotations

from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from generation.engines.framecode import draw_frame_number
from generation.engines.landscape import Landscape
from generation.engines.limits import Capabilities, FrameRule, SizeRule
from generation.engines.local.pictures import prepared
from generation.engines.order import Condition, Mode, Order
from generation.engines.protocol import (
    Estimate,
    Frame,
    Frames,
    Inspection,
    Stage,
    TierFacts,
    Watch,
)

DRAWING = "1"
"""Part of every recipe; raise it whenever the same order would give other pixels."""

_PIXELS_PER_S = 60_000_000


class StillEngine:
    name: ClassVar[str] = "still"
    packages: ClassVar[tuple[str, ...]] = ()

    def capabilities(self, checkpoint: Path | None) -> Capabilities:
        return Capabilities(
            frames=FrameRule(step=1, offset=0, minimum=1, maximum=600),
            sizes=SizeRule(multiple=2, least_side=96, most_side=1920, most_pixels=1920 * 1080),
            longest_s=Fraction(10),
            slowest_rate=Fraction(1),
            fastest_rate=Fraction(60),
            most_steps=100,
            tiers=("turbo", "standard"),
            has_guidance=False,
            modes=tuple(Mode),
            most_conditions=4,
            takes_strength=True,
        )

    def inspect(self, checkpoint: Path | None) -> Inspection:
        tiers = {"turbo": TierFacts(steps=4), "standard": TierFacts(steps=12)}
        return Inspection(family="", weights={}, tiers=tiers)

    def load(self, checkpoint: Path | None) -> None:
        """Nothing to load."""

    def estimate(self, order: Order) -> Estimate:
        seconds = order.frames * order.width * order.height / _PIXELS_PER_S
        return Estimate(
            seconds=seconds,
            seconds_low=seconds / 3,
            seconds_high=seconds * 4,
            memory_bytes=4 * order.width * order.height * 3,
        )

    def render(self, order: Order, watch: Watch, *, kept: Path | None = None) -> Frames:
        self.capabilities(order.checkpoint).check(order)
        watch.tick(Stage.PROMPT, 0, 1)
        scene = Landscape(order.prompt, order.seed, order.width, order.height)
        pictures = [
            (np.asarray(picture, dtype=np.float32), one)
            for picture, one in prepared(order, order.width, order.height)
        ]
        for step in range(order.steps + 1):
            watch.tick(Stage.DENOISE, step, order.steps)
        for number in range(order.frames):
            watch.tick(Stage.DECODE, number, order.frames)
            frame = scene.drawn(float(number / order.rate))
            for picture, one in pictures:
                frame = _faded(frame, picture, one, number, float(order.rate))
            draw_frame_number(frame, number)
            if watch.wants_preview():
                watch.preview(np.ascontiguousarray(frame[::8, ::8]))
            yield frame
        watch.tick(Stage.DECODE, order.frames, order.frames)

    def describe(self) -> dict[str, Any]:
        return {
            "engine": self.name,
            "drawing": DRAWING,
            "device": "cpu",
            "weights": {},
            "libraries": {"numpy": version("numpy")},
        }

    def close(self) -> None:
        """Nothing to free."""


def _faded(
    frame: Frame, picture: npt.NDArray[np.float32], condition: Condition, number: int, rate: float
) -> Frame:
    """The picture at its frame, as strong as was wished, and half a second of fading around it."""
    part = condition.strength * max(0.0, 1 - abs(number - condition.frame) / (rate / 2))
    if not part:
        return frame
    mixed = frame + (picture - frame) * np.float32(part)
    return np.ascontiguousarray(np.rint(mixed).astype(np.uint8))
