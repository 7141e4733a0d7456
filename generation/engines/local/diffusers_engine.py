"""The engine that runs a real pipeline of diffusers in this process, on the CPU or on CUDA.

torch and diffusers are imported inside functions only: the web imports this module to read limits.
Nothing here reaches the network, and nothing but safetensors is ever loaded.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from generation.engines.limits import Capabilities
from generation.engines.local.checkpoint import Checkpoint, parameter_count
from generation.engines.local.family import Run
from generation.engines.local.faults import failures, free_device
from generation.engines.local.inspecting import inspected
from generation.engines.local.keeping import Kept, digest_of
from generation.engines.local.loading import Resident, family_for, loaded
from generation.engines.local.pictures import ENLARGING, prepared
from generation.engines.local.reading import read_checkpoint
from generation.engines.local.running import Clip, pieces
from generation.engines.local.scheduling import tiers_own
from generation.engines.local.tiers import Tier
from generation.engines.local.watching import Ticker
from generation.engines.local.windows import tokens, window_count
from generation.engines.order import Order, OrderRefused
from generation.engines.protocol import (
    EngineFailure,
    Estimate,
    FailureCode,
    Frames,
    Inspection,
    Watch,
)

# Useful floating-point operations a second, before the first clip has been measured.
_SPEED = {"cpu": 2e10, "cuda": 2e14}


class DiffusersEngine:
    """``keeps_answers_above_s``: jobs expected to take longer keep every answer of the denoisers
    for a later attempt, shorter ones their latents alone. ``unmeasured``: lossy levers are taken
    though nobody measured them, for whoever is about to."""

    name: ClassVar[str] = "diffusers"
    packages: ClassVar[tuple[str, ...]] = (
        "torch",
        "diffusers",
        "transformers",
        "accelerate",
        "safetensors",
        "peft",
        "ftfy",
    )

    def __init__(self, *, keeps_answers_above_s: float = 60.0, unmeasured: bool = False) -> None:
        self._keeps_answers_above_s = keeps_answers_above_s
        self._unmeasured = unmeasured
        self._loaded: Resident | None = None
        self._made: dict[str, Any] = {}
        self._slowness: float | None = None

    def capabilities(self, checkpoint: Path | None) -> Capabilities:
        return self._read(checkpoint).capabilities()

    def inspect(self, checkpoint: Path | None) -> Inspection:
        return inspected(checkpoint)

    def load(self, checkpoint: Path | None) -> None:
        if self._loaded is not None and self._loaded.checkpoint.folder == checkpoint:
            return
        self.close()
        found = self._read(checkpoint)
        with failures(None, FailureCode.CHECKPOINT_DAMAGED):
            self._loaded = loaded(found)

    def estimate(self, order: Order) -> Estimate:
        """From the model's size until a clip was measured here, from that clip afterwards."""
        found = self._read(order.checkpoint)
        seconds = _expected_s(found, order, self._device()) * (self._slowness or 1.0)
        width, height = found.capabilities().sizes.generated(order.width, order.height)
        spread = 4.0 if self._slowness is None else 1.5
        return Estimate(
            seconds=seconds,
            seconds_low=seconds / spread,
            seconds_high=seconds * spread,
            memory_bytes=min(order.frames, found.window or order.frames)
            * width
            * height
            * 3
            * 4
            * 3,
        )

    def render(self, order: Order, watch: Watch, *, kept: Path | None = None) -> Frames:
        resident = self._resident(order)
        checkpoint = resident.checkpoint
        checkpoint.capabilities().check(order)
        tier = checkpoint.preset.tiers[order.tier]
        _check_steps(order, tier)
        passes = window_count(checkpoint, order.frames)
        ticker = Ticker(watch, passes * resident.family.steps(order, tier))
        started = time.monotonic()
        with failures(ticker, FailureCode.ENGINE_ERROR):
            clip = Clip(
                run=_run(resident, order, tier, ticker),
                family=resident.family,
                parts=resident.parts,
                previews=resident.previews,
            )
            self._made = _clip_facts(resident, order, tier)
            if kept is not None:
                clip.kept = Kept(kept, lambda: digest_of(order, self._facts()))
                expected = self.estimate(order).seconds
                clip.keeps_answers = expected > self._keeps_answers_above_s
            try:
                yield from pieces(clip)
            finally:
                self._made["decoding"] = "tiled" if clip.is_tiled else "whole"
        if not clip.was_kept:
            expected = _expected_s(checkpoint, order, self._device())
            self._slowness = (time.monotonic() - started) / expected

    def describe(self) -> dict[str, Any]:
        """With the last clip's own: its tier, levers, scheduler, styles, and whether tiled."""
        return self._facts()

    @property
    def is_compiled(self) -> bool:
        """Whether the first steps wait for a compiler; at once, unlike ``describe``."""
        return self._loaded is not None and self._loaded.is_compiled

    def close(self) -> None:
        self._loaded, self._slowness, self._made = None, None, {}
        free_device()

    def _facts(self) -> dict[str, Any]:
        resident = self._loaded
        if resident is None:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED)
        device = self._device()
        return {
            "engine": self.name,
            "family": resident.checkpoint.family,
            "pipeline": resident.checkpoint.pipeline,
            "dtype": str(resident.pipe.transformer.dtype).removeprefix("torch."),
            "device": _device_name(),
            # Sums on a CPU are split among its threads, and rounded by that.
            **({"threads": _threads()} if device == "cpu" else {}),
            "attention": resident.attention,
            "compiled": resident.is_compiled,
            "prompts_remembered": resident.prompts is not None,
            "weights": dict(resident.hashes.result()),
            "libraries": dict(_libraries(*self.packages, "numpy")),
            **_scheduler_facts(resident.pipe.scheduler),
            **self._made,
        }

    def _read(self, folder: Path | None) -> Checkpoint:
        return read_checkpoint(folder, unmeasured=self._unmeasured)

    def _resident(self, order: Order) -> Resident:
        resident = self._loaded
        if resident is None or resident.checkpoint.folder != order.checkpoint:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED, str(order.checkpoint))
        return resident

    @property
    def _pipe(self) -> Any:
        return None if self._loaded is None else self._loaded.pipe

    def _device(self) -> str:
        return "cpu" if self._loaded is None else str(self._loaded.pipe.device.type)


def _check_steps(order: Order, tier: Tier) -> None:
    """Noise levels that are written down are that many steps, no more and no fewer."""
    if tier.sigmas is not None and order.steps != len(tier.sigmas):
        wanted = len(tier.sigmas)
        raise OrderRefused(
            "steps_out_of_range", "steps", asked=order.steps, minimum=wanted, maximum=wanted
        )


def _run(resident: Resident, order: Order, tier: Tier, ticker: Ticker) -> Run:
    import torch

    checkpoint = resident.checkpoint
    if tier.schedule is not None:
        preset = replace(checkpoint.preset, schedule=tier.schedule)
        checkpoint = replace(checkpoint, preset=preset)
    width, height = checkpoint.capabilities().sizes.generated(order.width, order.height)
    return Run(
        pipe=resident.pipe,
        checkpoint=checkpoint,
        order=order,
        tier=tier,
        # On the CPU whatever the device: the same seed then starts from the same noise everywhere.
        generator=torch.Generator("cpu").manual_seed(order.seed),
        ticker=ticker,
        width=width,
        height=height,
        pictures=prepared(order, width, height),
    )


def _clip_facts(resident: Resident, order: Order, tier: Tier) -> dict[str, Any]:
    preset = resident.checkpoint.preset
    chosen = tier.guidance if order.guidance is None else order.guidance
    return {
        "tier": order.tier,
        "levers": tier.levers(),
        "compiled": resident.is_compiled and not (order.styles or tier.lora or tier.cache),
        "steps": order.steps,
        "guidance": preset.guidance if chosen is None else chosen,
        "seed": order.seed,
        "styles": [{"sha256": one.sha256, "weight": one.weight} for one in order.styles],
        **_scheduler_facts(tiers_own(resident.pipe.scheduler, tier)),
        **_file_facts(resident.checkpoint, order),
    }


def _file_facts(checkpoint: Checkpoint, order: Order) -> dict[str, Any]:
    """How the file differs from what one call of the model gives: windows, and enlarging."""
    facts: dict[str, Any] = {}
    if (count := window_count(checkpoint, order.frames)) > 1:
        facts["windows"] = {"count": count, "frames": checkpoint.window}
    if checkpoint.capabilities().sizes.enlarged_by(order.width, order.height) > 1:
        facts["resized"] = {"method": ENLARGING}
    return facts


def _scheduler_facts(scheduler: Any) -> dict[str, Any]:
    config = json.dumps(dict(scheduler.config), sort_keys=True, default=str)
    return {
        "scheduler": type(scheduler).__name__,
        "scheduler_config": hashlib.sha256(config.encode()).hexdigest(),
    }


@cache
def _libraries(*names: str) -> dict[str, str]:
    return {name: version(name) for name in names}


def _device_name() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())


def _expected_s(checkpoint: Checkpoint, order: Order, device: str) -> float:
    """Two operations per parameter and token, twice for guidance; decoding counted by pixels."""
    width, height = checkpoint.capabilities().sizes.generated(order.width, order.height)
    cells = tokens(checkpoint, order, width, height)
    tier = checkpoint.preset.tiers.get(order.tier, Tier())
    steps = family_for(checkpoint).whole_steps(order, tier)
    denoising = 4.0 * steps * cells * parameter_count(checkpoint.folder, "transformer")
    decoding = 2e4 * order.frames * width * height
    return (denoising + decoding) / _SPEED.get(device, _SPEED["cpu"])
