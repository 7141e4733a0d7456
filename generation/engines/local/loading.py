"""A checkpoint made resident: every tensor from its files, on the device, with the levers that
change no bit of it."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generation.engines.local.checkpoint import (
    Checkpoint,
    file_hashes,
    parameter_count,
    stored_dtype,
    tensor_names,
)
from generation.engines.local.families import family_of
from generation.engines.local.family import Family
from generation.engines.local.levers import (
    Prompts,
    choose_attention,
    compile_blocks,
    remember_prompts,
)
from generation.engines.local.previews import Previews
from generation.engines.local.watching import Parts
from generation.engines.protocol import EngineFailure, FailureCode

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Resident:
    """A loaded model. ``hashes`` are being read since then: a minute for a large one."""

    checkpoint: Checkpoint
    pipe: Any
    family: Family
    parts: Parts
    previews: Previews
    prompts: Prompts | None
    attention: str
    is_compiled: bool
    hashes: Future[dict[str, str]]


def loaded(checkpoint: Checkpoint) -> Resident:
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"
    import diffusers
    import torch
    import transformers

    _quieten(diffusers, transformers)
    family = family_for(checkpoint)
    pipe = family.load(checkpoint, _dtype(checkpoint))
    present = [name for name in family.optional if getattr(pipe, name, None) is not None]
    for part in (*family.weighted, *present):
        _check_complete(getattr(pipe, part), part, checkpoint)
    pipe.set_progress_bar_config(disable=True)
    attention, is_compiled = "native", False
    parts = family.parts(pipe)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        pipe.to("cuda")
        attention = choose_attention(parts.denoisers, checkpoint.preset.attention)
        is_compiled = checkpoint.preset.compile and compile_blocks(parts.denoisers)
    return Resident(
        checkpoint=checkpoint,
        pipe=pipe,
        family=family,
        parts=parts,
        previews=Previews(getattr(pipe, "vae", None), spatial=checkpoint.grid.spatial),
        prompts=remember_prompts(pipe),
        attention=attention,
        is_compiled=is_compiled,
        hashes=_hashing(checkpoint),
    )


def family_for(checkpoint: Checkpoint) -> Family:
    family = family_of(checkpoint.pipeline)
    if family is None:  # its package was uninstalled since the checkpoint was read
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, checkpoint.pipeline)
    return family


def _hashing(checkpoint: Checkpoint) -> Future[dict[str, str]]:
    """Beside the first clip, which needs them at its end."""
    with_one = ThreadPoolExecutor(1, thread_name_prefix="hashes")
    hashes = with_one.submit(file_hashes, checkpoint.folder)
    with_one.shutdown(wait=False)
    return hashes


def _check_complete(model: nn.Module, part: str, checkpoint: Checkpoint) -> None:
    """Both libraries fill a missing tensor with random numbers and a line in the log."""
    tensors = model.state_dict()
    stored = tensor_names(checkpoint.folder, part)
    # Tied tensors are stored once, under one of their names.
    filled = {tensors[name].data_ptr() for name in stored & set(tensors)}
    missing = [name for name, value in tensors.items() if value.data_ptr() not in filled]
    if missing and not (_is_renamed(model) and _fills(tensors, part, checkpoint)):
        raise ValueError(f"{part} lacks {missing[:3]}")


def _is_renamed(model: nn.Module) -> bool:
    """transformers stores some models under the tensor names of its earlier versions."""
    return type(model).__module__.startswith("transformers.")


def _fills(tensors: dict[str, torch.Tensor], part: str, checkpoint: Checkpoint) -> bool:
    """Whether as many numbers are stored as the model holds; tied ones count once."""
    held = {value.data_ptr(): value.numel() for value in tensors.values()}
    return parameter_count(checkpoint.folder, part) >= int(sum(held.values()))


def _quieten(diffusers: Any, transformers: Any) -> None:
    """Their notes quote prompts, which have no place in an operator's log."""
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def _dtype(checkpoint: Checkpoint) -> torch.dtype:
    """As stored; half precision has no arithmetic on a CPU."""
    import torch

    stored = {"BF16": torch.bfloat16, "F16": torch.float16}.get(stored_dtype(checkpoint.folder))
    if stored is torch.float16 and not torch.cuda.is_available():
        return torch.float32
    return stored or torch.float32
