"""From a folder to a checkpoint: which family it is of, and whether it may be loaded at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generation.engines.local.checkpoint import Checkpoint, Grid, Preset, preset, read_json
from generation.engines.local.families import family_of
from generation.engines.local.family import Family
from generation.engines.order import Mode
from generation.engines.protocol import EngineFailure, FailureCode

_LIBRARIES = ("diffusers", "transformers")


def read_checkpoint(folder: Path | None, *, unmeasured: bool = False) -> Checkpoint:
    """Raises ``EngineFailure``: missing, damaged, foreign (other family or code, pickles), or with
    lossy levers that nobody measured (unless ``unmeasured``)."""
    if folder is None or not (folder / "model_index.json").is_file():
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, str(folder))
    index = read_json(folder / "model_index.json")
    name = str(index.get("_class_name"))
    family = family_of(name)
    if family is None:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"pipeline {name!r}")
    _check_components(folder, index, family)
    grid = _grid(folder, index, family)
    return Checkpoint(
        folder=folder,
        pipeline=name,
        family=family.name,
        grid=grid,
        preset=_preset(folder, family, grid, unmeasured=unmeasured),
    )


def _check_components(folder: Path, index: dict[str, Any], family: Family) -> None:
    parts = {name: part for name, part in index.items() if isinstance(part, list) and part}
    for name, part in parts.items():
        # A library named here is imported: nothing but our two and the family's own may be.
        if part[0] not in (*_LIBRARIES, *family.libraries, None):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} comes from {part}")
    named = tuple(name for name in family.optional if parts.get(name, [None])[0] is not None)
    for name in (*family.weighted, *named):
        if name not in parts or not (folder / name).is_dir():
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"no {name}")
        if not any((folder / name).glob("*.safetensors")):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} has no safetensors")


def _preset(folder: Path, family: Family, grid: Grid, *, unmeasured: bool) -> Preset:
    path = folder / "greenroom.json"
    found = preset(path, guidance=family.guidance, unmeasured=unmeasured)
    _check_loras(folder, found)
    _check_window(found, grid)
    twice = [tier for tier in found.tiers.values() if tier.two_stage]
    if twice and not (grid.has_upsampler and all(tier.refine_steps >= 1 for tier in twice)):
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, "two_stage lacks upsampler or steps")
    return found


def _check_loras(folder: Path, found: Preset) -> None:
    for tier in found.tiers.values():
        if tier.lora is not None and not (folder / tier.lora.file).is_file():
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"no {tier.lora.file}")


def _check_window(found: Preset, grid: Grid) -> None:
    """What the files say of windows and of the native size must be within the model's reach."""
    window, native = found.window_frames, found.native
    is_chained = window is None or (Mode.IMAGE in grid.modes and not grid.has_sound)
    if not is_chained or (window is not None and (window - 1) % grid.temporal):
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: window {window}")
    if native is not None and any(side % grid.multiple for side in native):
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"greenroom.json: native {native}")
    if native is None and found.enlarge_at_most > 1:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, "greenroom.json: enlarge what?")


def _grid(folder: Path, index: dict[str, Any], family: Family) -> Grid:
    try:
        return family.grid(folder, index)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{family.name}: {error!r}") from error
