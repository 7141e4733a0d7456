"""From a folder to a checkpoint: which family it is of, and whether it may be loaded at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generation.engines.local.checkpoint import Checkpoint, Grid, preset, read_json
from generation.engines.local.families import family_of
from generation.engines.local.family import Family
from generation.engines.protocol import EngineFailure, FailureCode

_LIBRARIES = ("diffusers", "transformers")


def read_checkpoint(folder: Path | None) -> Checkpoint:
    """Raises ``EngineFailure``: missing, damaged, foreign (other family or code, pickles)."""
    if folder is None or not (folder / "model_index.json").is_file():
        raise EngineFailure(FailureCode.CHECKPOINT_MISSING, str(folder))
    index = read_json(folder / "model_index.json")
    name = str(index.get("_class_name"))
    family = family_of(name)
    if family is None:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"pipeline {name!r}")
    _check_components(folder, index, family)
    return Checkpoint(
        folder=folder,
        pipeline=name,
        family=family.name,
        grid=_grid(folder, index, family),
        preset=preset(folder / "greenroom.json"),
    )


def _check_components(folder: Path, index: dict[str, Any], family: Family) -> None:
    parts = {name: part for name, part in index.items() if isinstance(part, list) and part}
    for name, part in parts.items():
        # A library named here is imported: nothing but our two and the family's own may be.
        if part[0] not in (*_LIBRARIES, *family.libraries, None):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} comes from {part}")
    for name in family.weighted:
        if name not in parts or not (folder / name).is_dir():
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"no {name}")
        if not any((folder / name).glob("*.safetensors")):
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{name} has no safetensors")


def _grid(folder: Path, index: dict[str, Any], family: Family) -> Grid:
    try:
        return family.grid(folder, index)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{family.name}: {error!r}") from error
