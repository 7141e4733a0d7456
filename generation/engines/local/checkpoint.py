"""A folder of weights in the diffusers layout, judged and described without torch.

The web asks here what a checkpoint can make, so only JSON and the heads of safetensors files are
read.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from dataclasses import dataclass, field, fields
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

from generation.engines.limits import Capabilities, FrameRule, SizeRule
from generation.engines.protocol import EngineFailure, FailureCode

PIPELINES = ("LTXPipeline", "LTXConditionPipeline")
_LIBRARIES = ("diffusers", "transformers")
_WITH_WEIGHTS = ("transformer", "vae", "text_encoder")
_MOST_HEAD = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What a checkpoint says about its own use, in ``greenroom.json`` beside ``model_index.json``.

    ``schedule`` "even" asks for evenly spaced timesteps instead of the pipeline's default, which
    spends half of few steps on nearly pure noise; ``coordinate_rate`` is the frame rate the
    positions were trained with, where it is not the file's; the ``decode_…`` numbers are for
    decoders that were trained with noise. Absent means: like the stock pipeline.
    """

    schedule: str = "pipeline"
    guidance: float = 3.0
    coordinate_rate: float | None = None
    decode_timestep: float = 0.0
    decode_noise_scale: float | None = None
    longest_s: str = "10"
    most_side: int = 1920
    most_pixels: int = 1920 * 1088
    most_steps: int = 100
    tiers: tuple[str, ...] = ("turbo", "standard")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    folder: Path
    pipeline: str
    spatial: int
    temporal: int
    preset: Preset = field(default_factory=Preset)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            frames=FrameRule(
                step=self.temporal,
                offset=1,
                minimum=1 + self.temporal,
                maximum=1 + self.temporal * (600 // self.temporal),
            ),
            # The pipelines themselves insist on 32, whatever the decoder needs.
            sizes=SizeRule(
                multiple=lcm(32, self.spatial),
                least_side=32,
                most_side=self.preset.most_side,
                most_pixels=self.preset.most_pixels,
            ),
            longest_s=Fraction(self.preset.longest_s),
            slowest_rate=Fraction(1),
            fastest_rate=Fraction(60),
            most_steps=self.preset.most_steps,
            tiers=self.preset.tiers,
            has_guidance=True,
        )


def read_checkpoint(folder: Path | None) -> Checkpoint:
    """Raises ``EngineFailure``: missing, damaged, foreign (other family or code, pickles)."""
    if folder is None or not (folder / "model_index.json").is_file():
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, str(folder))
    index = _json(folder / "model_index.json")
    name = index.get("_class_name")
    if name not in PIPELINES:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"pipeline {name!r}")
    _check_components(folder, index)
    vae = _json(folder / "vae" / "config.json")
    spatial, temporal = _compression(vae)
    return Checkpoint(
        folder=folder,
        pipeline=str(name),
        spatial=spatial,
        temporal=temporal,
        preset=_preset(folder / "greenroom.json"),
    )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every weight and configuration file, by its path inside the folder."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".json"):
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            hashes[path.relative_to(folder).as_posix()] = digest
    return hashes


def stored_dtype(folder: Path) -> str:
    """The transformer's commonest dtype in safetensors' words (F32, BF16, F16)."""
    counts: Counter[str] = Counter()
    for path in sorted((folder / "transformer").glob("*.safetensors")):
        for tensor in _tensors(path).values():
            counts[str(tensor["dtype"])] += _count(tensor["shape"])
    return counts.most_common(1)[0][0] if counts else "F32"


def parameter_count(folder: Path, component: str) -> int:
    return sum(
        _count(tensor["shape"])
        for path in (folder / component).glob("*.safetensors")
        for tensor in _tensors(path).values()
    )


def tensor_names(folder: Path, component: str) -> set[str]:
    return {name for path in (folder / component).glob("*.safetensors") for name in _tensors(path)}


def _check_components(folder: Path, index: dict[str, Any]) -> None:
    parts = {name: part for name, part in index.items() if isinstance(part, list) and part}
    for name, part in parts.items():
        # A library named here is imported: nothing but the two that we ship may be.
        if part[0] not in (*_LIBRARIES, None):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} comes from {part}")
    for name in _WITH_WEIGHTS:
        if name not in parts or not (folder / name).is_dir():
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"no {name}")
        if not any((folder / name).glob("*.safetensors")):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} has no safetensors")


def _compression(vae: dict[str, Any]) -> tuple[int, int]:
    """Pixels and frames per latent, as ``AutoencoderKLLTXVideo`` computes them."""
    try:
        scalings = 2 ** sum(bool(scaled) for scaled in vae["spatio_temporal_scaling"])
        spatial = vae.get("spatial_compression_ratio") or vae["patch_size"] * scalings
        temporal = vae.get("temporal_compression_ratio") or vae["patch_size_t"] * scalings
        return int(spatial), int(temporal)
    except (KeyError, TypeError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"vae: {error!r}") from error


def _preset(path: Path) -> Preset:
    if not path.is_file():
        return Preset()
    plain = _json(path)
    unknown = set(plain) - {known.name for known in fields(Preset)}
    if unknown:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: {unknown}")
    return Preset(**{**plain, "tiers": tuple(plain.get("tiers", Preset.tiers))})


def _json(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name}: {error}") from error
    if not isinstance(plain, dict):
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name} is not an object")
    return plain


def _tensors(path: Path) -> dict[str, Any]:
    """The head of a safetensors file: eight bytes of length, then JSON."""
    try:
        with path.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > _MOST_HEAD:
                raise ValueError("its head is too long")
            head = json.loads(opened.read(length))
        return {name: tensor for name, tensor in head.items() if name != "__metadata__"}
    except (OSError, ValueError, struct.error, AttributeError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name}: {error}") from error


def _count(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
