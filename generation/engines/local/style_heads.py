"""A style's file judged against the checkpoint it is for, by the heads of both: no torch.

The engine asks the same of the tensors themselves when it renders (``styles.py``). Here a style of
another model is refused before anybody can order it. Layers are known by the names that diffusers
gives them; a file of another program is converted first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.engines.local.checkpoint import read_head
from generation.engines.local.families import family_of
from generation.engines.local.reading import read_checkpoint
from generation.engines.protocol import EngineFailure, FailureCode

_DOWN, _UP, _ALPHA = ".lora_A.weight", ".lora_B.weight", ".alpha"
_FLOATS = ("F32", "F16", "BF16")
_AXES = 2


@dataclass(frozen=True, slots=True)
class StyleFacts:
    """How many layers a style changes, and the rank of the widest change."""

    layers: int
    rank: int


def inspected_style(path: Path, folder: Path) -> StyleFacts:
    """What this LoRA does to the checkpoint in ``folder``.

    Raises ``EngineFailure``: ``style_foreign`` where it is no safetensors file, no LoRA, or for
    another model; and whatever is wrong with the checkpoint.
    """
    checkpoint = read_checkpoint(folder)
    family = family_of(checkpoint.pipeline)
    if family is None or not checkpoint.grid.takes_styles:
        raise _foreign(f"{checkpoint.pipeline} takes none")
    changed = _changes(_whole(path), family.style_prefixes)
    # One with two denoisers gets the style on both, and both have the same layers.
    for denoiser in sorted(folder.glob("transformer*")):
        if denoiser.is_dir():
            _must_fit(changed, _layers(denoiser))
    return StyleFacts(layers=len(changed), rank=max(down[0] for down, _ in changed.values()))


def _whole(path: Path) -> dict[str, Any]:
    """The head of a file that is as long as its head says."""
    try:
        tensors = read_head(path)
        with path.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
        ends = max(int(tensor["data_offsets"][1]) for tensor in tensors.values())
        is_whole = path.stat().st_size == 8 + length + ends
    except (EngineFailure, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise _foreign(f"{path.name} is no safetensors file with weights: {error}") from error
    if not is_whole:
        raise _foreign(f"{path.name} is cut off")
    return tensors


def _changes(
    tensors: dict[str, Any], prefixes: tuple[str, ...]
) -> dict[str, tuple[list[int], list[int]]]:
    """Shapes of the two factors by layer. Every tensor is one of a pair, or its scale."""
    found: dict[str, dict[str, list[int]]] = {}
    for name, tensor in tensors.items():
        prefix = next((one for one in prefixes if name.startswith(one)), None)
        end = next((one for one in (_DOWN, _UP, _ALPHA) if name.endswith(one)), None)
        if prefix is None or end is None or tensor.get("dtype") not in _FLOATS:
            raise _foreign(f"{name} is no part of a LoRA for a denoiser")
        layer = name.removeprefix(prefix).removesuffix(end)
        found.setdefault(layer, {})[end] = tensor["shape"]
    for layer, factors in found.items():
        if not {_DOWN, _UP} <= factors.keys():
            raise _foreign(f"{layer} has half a pair")
    return {layer: (factors[_DOWN], factors[_UP]) for layer, factors in found.items()}


def _layers(denoiser: Path) -> dict[str, list[int]]:
    """Shapes of the weights in this folder, by the layer they are the weight of."""
    return {
        name.removesuffix(".weight"): tensor["shape"]
        for path in sorted(denoiser.glob("*.safetensors"))
        for name, tensor in read_head(path).items()
        if name.endswith(".weight")
    }


def _must_fit(changed: dict[str, tuple[list[int], list[int]]], own: dict[str, list[int]]) -> None:
    for layer, (down, up) in changed.items():
        shape = own.get(layer, [])
        if len(shape) < _AXES:
            raise _foreign(f"{layer} is no layer of this model")
        if not _fits(down, up, shape):
            raise _foreign(f"{layer} has another shape in this model")


def _fits(down: list[int], up: list[int], shape: list[int]) -> bool:
    """``down`` is (rank, in), ``up`` is (out, rank); of convolutions further axes follow."""
    if len(down) < _AXES or len(up) < _AXES or down[0] < 1:
        return False
    return (down[1], up[0], up[1]) == (shape[1], shape[0], down[0])


def _foreign(detail: str) -> EngineFailure:
    return EngineFailure(FailureCode.STYLE_FOREIGN, detail)
