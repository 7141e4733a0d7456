"""Styles of one job: LoRA weights beside the model's own, and gone with the job.

Only safetensors whose hash is the order's, only for the denoisers, and only where every tensor has
its place: diffusers passes over what it does not know, and a style that did nothing would be paid.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.engines.local.checkpoint import Checkpoint
from generation.engines.local.keeping import outermost
from generation.engines.local.tiers import Tier
from generation.engines.order import Order
from generation.engines.protocol import EngineFailure, FailureCode

if TYPE_CHECKING:
    import torch
    from torch import nn

_DOWN, _UP, _ALPHA = ".lora_A.weight", ".lora_B.weight", ".alpha"
_AXES = 2


@contextmanager
def styled(
    pipe: Any, denoisers: tuple[nn.Module, ...], checkpoint: Checkpoint, order: Order, tier: Tier
) -> Iterator[None]:
    """The order's styles and the tier's own LoRA on every denoiser, for the length of one
    denoising. Raises ``EngineFailure``, ``style_foreign`` for a style that is not for this model.
    """
    wanted = [(_read(style.path, style.sha256), style.weight) for style in order.styles]
    if tier.lora is not None:
        own = _read(checkpoint.folder / tier.lora.file, None)
        wanted.append((own, tier.lora.weight))
    if not wanted:
        yield
        return
    targets = tuple(one for one in outermost(denoisers) if hasattr(one, "load_lora_adapter"))
    if not targets:
        raise _foreign(f"{type(pipe).__name__} takes none")
    try:
        for denoiser in targets:
            _add(pipe, denoiser, wanted)
        yield
    finally:
        for denoiser in targets:
            # Takes the layers out that were put around the model's own, which never changed.
            denoiser.unload_lora()


def _add(pipe: Any, denoiser: Any, wanted: list[tuple[dict[str, torch.Tensor], float]]) -> None:
    names = []
    for number, (tensors, _weight) in enumerate(wanted):
        names.append(f"style_{number}")
        fitting = _fitting(_converted(pipe, tensors), denoiser)
        with warnings.catch_warnings():
            # Several at once are meant.
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")
            denoiser.load_lora_adapter(fitting, adapter_name=names[-1], prefix=None)
    denoiser.set_adapters(names, weights=[weight for _, weight in wanted])
    denoiser.requires_grad_(False)


def _read(path: Path, sha256: str | None) -> dict[str, torch.Tensor]:
    """From the very bytes that were hashed."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise _foreign(f"{path.name} is another file")
        tensors: dict[str, torch.Tensor] = load(content)
    except (OSError, SafetensorError, ValueError) as error:
        raise _foreign(f"{path.name}: {error}") from error
    if not tensors:
        raise _foreign(f"{path.name} is empty")
    return tensors


def _converted(pipe: Any, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """In the names of diffusers, whichever program trained it; without the ``transformer.``."""
    for name in tensors:
        if name.startswith(("text_encoder", "lora_te", "te1_", "te2_", "text_encoders.")):
            raise _foreign(f"{name} would change how words are read")
    if not hasattr(pipe, "lora_state_dict"):
        raise _foreign(f"{type(pipe).__name__} takes none")
    try:
        named = type(pipe).lora_state_dict(dict(tensors))
    except Exception as error:  # converters raise whatever they stumble over
        raise _foreign(f"{type(error).__name__}: {error}"[:300]) from error
    plain: dict[str, torch.Tensor] = {}
    for name, value in named.items():
        prefix = next((p for p in ("transformer.", "transformer_2.") if name.startswith(p)), None)
        if prefix is None:
            raise _foreign(f"{name} is for no denoiser")
        plain[name.removeprefix(prefix)] = value
    return plain


def _fitting(tensors: dict[str, torch.Tensor], denoiser: nn.Module) -> dict[str, torch.Tensor]:
    """Pairs whose layers exist in this denoiser, in its dtype, with ``alpha`` multiplied in."""
    layers = {
        name.replace(".base_layer", ""): module
        for name, module in denoiser.named_modules()
        if hasattr(module, "weight")
    }
    fitting: dict[str, torch.Tensor] = {}
    for layer in sorted(_layers_of(tensors)):
        down, up = tensors.get(layer + _DOWN), tensors.get(layer + _UP)
        if down is None or up is None or layer not in layers:
            raise _foreign(f"{layer} has no place")
        _check_shapes(layer, down, up, layers[layer])
        alpha = tensors.get(layer + _ALPHA)
        scale = 1.0 if alpha is None else float(alpha) / down.shape[0]
        fitting[layer + _DOWN] = down
        fitting[layer + _UP] = up if scale == 1.0 else up * scale
    return fitting


def _layers_of(tensors: dict[str, torch.Tensor]) -> set[str]:
    """Every name must be one of a pair, or its scale."""
    layers = set()
    for name in tensors:
        end = next((one for one in (_DOWN, _UP, _ALPHA) if name.endswith(one)), None)
        if end is None:
            raise _foreign(f"{name} is no part of a LoRA")
        layers.add(name.removesuffix(end))
    return layers


def _check_shapes(layer: str, down: torch.Tensor, up: torch.Tensor, module: nn.Module) -> None:
    base = getattr(module, "base_layer", module)
    weight = base.weight
    fits = (
        down.ndim >= _AXES
        and up.ndim >= _AXES
        and down.shape[1] == weight.shape[1]
        and up.shape[0] == weight.shape[0]
        and up.shape[1] == down.shape[0]
    )
    if not fits:
        raise _foreign(f"{layer} has another shape")


def _foreign(detail: str) -> EngineFailure:
    return EngineFailure(FailureCode.STYLE_FOREIGN, detail)
