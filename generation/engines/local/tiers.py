"""Tiers of a checkpoint: which levers make one quicker or finer, and what each costs in likeness.

Read from ``greenroom.json`` without torch. A lever that changes the picture is taken only with the
difference that was measured (``measuring``): nobody ships a quicker clip that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from generation.engines.order import GUIDANCE_LIMIT, STEPS_LIMIT, STYLE_WEIGHT_LIMIT
from generation.engines.protocol import EngineFailure, FailureCode

LOSSLESS = "standard"
"""What the others are measured against: whole steps, nothing skipped."""
NAMES = ("turbo", LOSSLESS, "quality")
SCHEDULERS = (
    "CogVideoXDDIMScheduler",
    "CogVideoXDPMScheduler",
    "DPMSolverMultistepScheduler",
    "FlowMatchEulerDiscreteScheduler",
    "FlowMatchLCMScheduler",
    "UniPCMultistepScheduler",
)
CACHES: Mapping[str, tuple[str, ...]] = {
    "first_block": ("threshold",),
    "mag": ("threshold", "max_skip_steps", "retention_ratio", "mag_ratios"),
    "taylor_seer": (
        "cache_interval",
        "disable_cache_before_step",
        "disable_cache_after_step",
        "max_order",
        "use_lite_mode",
    ),
    "faster": (
        "spatial_attention_block_skip_range",
        "temporal_attention_block_skip_range",
        "spatial_attention_timestep_skip_range",
        "temporal_attention_timestep_skip_range",
        "unconditional_batch_skip_range",
        "unconditional_batch_timestep_skip_range",
        "tensor_format",
        "is_guidance_distilled",
    ),
    "pab": (
        "spatial_attention_block_skip_range",
        "temporal_attention_block_skip_range",
        "cross_attention_block_skip_range",
        "spatial_attention_timestep_skip_range",
        "temporal_attention_timestep_skip_range",
        "cross_attention_timestep_skip_range",
    ),
    "sea": (
        "threshold",
        "residual_order",
        "retention_steps",
        "cache_end_steps",
        "max_consecutive_cached",
        "power_exp",
    ),
}
"""Caches between steps, and what may be set of each, in the words of diffusers."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    name: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TierLora:
    """Weights that make the model quicker: a file inside the checkpoint's folder."""

    file: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Likeness to the clips of ``against`` on the same seeds: means over ``orders`` clips.

    ``ssim`` 1 and ``psnr_db`` 100 mean: the same pictures."""

    ssim: float
    psnr_db: float
    against: str
    orders: int


@dataclass(frozen=True, kw_only=True)
class Tier:
    """How one tier is made. None means: as the preset, the order or the pipeline says.

    ``sigmas`` are the noise levels from which each step starts, used exactly as written; ``shift``
    replaces the scheduler's own. ``two_stage`` makes half the size first, then ``refine_steps`` at
    the whole.
    """

    steps: int | None = None
    guidance: float | None = None
    scheduler: str | None = None
    schedule: str | None = None
    shift: float | None = None
    sigmas: tuple[float, ...] | None = None
    cache: Cache | None = None
    lora: TierLora | None = None
    two_stage: bool = False
    refine_steps: int = 3
    measured: Measured | None = None

    def levers(self) -> dict[str, Any]:
        """JSON of what is not as usual; without the measurement."""
        usual = asdict(Tier())
        plain = asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in plain.items()
            if name != "measured" and value != usual[name]
        }


def is_lossy(name: str, tier: Tier) -> bool:
    """Whether the tier's pictures differ from the lossless ones beyond a choice of steps.

    What the lossless tier itself needs (its noise levels, its two stages) is the model's own way
    and no loss; a cache is one everywhere.
    """
    if tier.cache is not None:
        return True
    return name != LOSSLESS and bool(tier.lora or tier.two_stage or tier.sigmas)


def read_tiers(plain: Any, *, unmeasured: bool = False) -> dict[str, Tier]:
    """Raises ``EngineFailure``: foreign where it is not understood, unmeasured where a lossy lever
    has no measurement (unless ``unmeasured``, for whoever is about to measure)."""
    if not isinstance(plain, dict) or not plain:
        raise _foreign("tiers", plain)
    tiers = {}
    for name, one in plain.items():
        if name not in NAMES or not isinstance(one, dict):
            raise _foreign("tiers", name)
        tiers[name] = _tier(name, one)
    if not unmeasured:
        _check_measured(tiers)
    return tiers


def _check_measured(tiers: dict[str, Tier]) -> None:
    for name, tier in tiers.items():
        if not is_lossy(name, tier):
            continue
        found = tier.measured
        if found is None or found.against not in tiers or found.against == name:
            raise EngineFailure(FailureCode.LEVER_UNMEASURED, f"tier {name}: {tier.levers()}")


def _tier(name: str, plain: dict[str, Any]) -> Tier:
    _check_names(name, plain, Tier)
    values: dict[str, Any] = dict(plain)
    values |= {
        part: made(f"{name}.{part}", plain[part])
        for part, made in (("cache", _cache), ("lora", _lora), ("measured", _measured))
        if plain.get(part) is not None
    }
    if plain.get("sigmas") is not None:
        values["sigmas"] = _sigmas(name, plain["sigmas"])
    tier = Tier(**values)
    _check_range(name, "steps", tier.steps, 1, STEPS_LIMIT)
    _check_range(name, "guidance", tier.guidance, 0, GUIDANCE_LIMIT)
    _check_range(name, "shift", tier.shift, 0.01, 100)
    _check_range(name, "refine_steps", tier.refine_steps, 1, STEPS_LIMIT)
    if tier.scheduler not in (None, *SCHEDULERS) or tier.schedule not in (None, "even", "pipeline"):
        raise _foreign(name, f"{tier.scheduler} {tier.schedule}")
    if tier.sigmas is not None and tier.steps not in (None, len(tier.sigmas)):
        raise _foreign(name, f"{tier.steps} steps, {len(tier.sigmas)} sigmas")
    if not isinstance(tier.two_stage, bool):
        raise _foreign(name, "two_stage")
    return tier


def _cache(where: str, plain: Any) -> Cache:
    if not isinstance(plain, dict) or plain.get("name") not in CACHES:
        raise _foreign(where, plain)
    settings = {name: value for name, value in plain.items() if name != "name"}
    if unknown := set(settings) - set(CACHES[plain["name"]]):
        raise _foreign(where, unknown)
    return Cache(name=plain["name"], settings=settings)


def _lora(where: str, plain: Any) -> TierLora:
    _check_names(where, plain, TierLora)
    file = plain.get("file")
    if not isinstance(file, str) or not file.endswith(".safetensors"):
        raise _foreign(where, file)
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise _foreign(where, file)
    _check_range(where, "weight", plain.get("weight", 1.0), -STYLE_WEIGHT_LIMIT, STYLE_WEIGHT_LIMIT)
    return TierLora(**plain)


def _measured(where: str, plain: Any) -> Measured:
    _check_names(where, plain, Measured)
    if set(plain) != {known.name for known in fields(Measured)}:
        raise _foreign(where, plain)
    _check_range(where, "ssim", plain["ssim"], -1, 1)
    _check_range(where, "psnr_db", plain["psnr_db"], 0, 100)
    _check_range(where, "orders", plain["orders"], 1, 10**6)
    return Measured(**plain)


def _sigmas(where: str, plain: Any) -> tuple[float, ...]:
    if not isinstance(plain, list) or not 1 <= len(plain) <= STEPS_LIMIT:
        raise _foreign(where, "sigmas")
    for value in plain:
        _check_range(where, "sigmas", value, 0, 1)
    if any(later >= earlier for earlier, later in pairwise(plain)):
        raise _foreign(where, "sigmas must fall")
    return tuple(float(value) for value in plain)


def _check_names(where: str, plain: Any, kind: type) -> None:
    if not isinstance(plain, dict):
        raise _foreign(where, plain)
    if unknown := set(plain) - {known.name for known in fields(kind)}:
        raise _foreign(where, unknown)


def _check_range(where: str, name: str, value: Any, minimum: float, maximum: float) -> None:
    if value is None:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not minimum <= value <= maximum:
        raise _foreign(where, f"{name} {value!r}")


def _foreign(where: str, what: object) -> EngineFailure:
    return EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: {where}: {what}")
