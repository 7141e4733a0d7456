"""What makes a clip quicker: caches between steps, compiled blocks, a better attention, prompts
read once. Each is set for one load or one job, named in the recipe, and gone afterwards."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from generation.engines.local.keeping import outermost
from generation.engines.local.tiers import Cache
from generation.engines.protocol import EngineFailure, FailureCode

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger("greenroom.engines")

_SEEN_BY_SEA = ("Cosmos3OmniTransformer", "WanTransformer3DModel")
# diffusers' own pattern passes over video models, which have two of them in a block.
_ATTENTIONS = [r"(\w*blocks)\.\d+\.attn\d*"]
_PROMPTS = 16
_PROMPT_BYTES = 512 * 2**20


class Prompts:
    """Remembers what the text encoders made of the last prompts: the same tensors to the bit.

    Stands in for a pipeline's ``encode_prompt``. Keys are digests, so that no prompt is kept in
    words; gone with the model.
    """

    def __init__(self, encode: Callable[..., Any]) -> None:
        self._encode = encode
        self._known: OrderedDict[str, Any] = OrderedDict()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = _key(args, kwargs)
        if key is None:
            return self._encode(*args, **kwargs)
        if key not in self._known:
            made = self._encode(*args, **kwargs)
            if _bytes_of(made) > _PROMPT_BYTES // _PROMPTS:
                return made
            # A copy: what a pipeline does to its own is no business of the next clip.
            self._known[key] = _copied(made)
            if len(self._known) > _PROMPTS:
                self._known.popitem(last=False)
            return made
        self._known.move_to_end(key)
        return _copied(self._known[key])

    def clear(self) -> None:
        self._known.clear()

    def __len__(self) -> int:
        return len(self._known)


def remember_prompts(pipe: Any) -> Prompts | None:
    """None for a pipeline that reads its prompts in another way."""
    encode = getattr(pipe, "encode_prompt", None)
    if encode is None:
        return None
    prompts = Prompts(encode)
    pipe.encode_prompt = prompts
    return prompts


@contextmanager
def cached(
    pipe: Any, denoisers: tuple[nn.Module, ...], cache: Cache | None, steps: int
) -> Iterator[None]:
    """The tier's cache between steps, for the length of one denoising."""
    if cache is None:
        yield
        return
    able = [one for one in outermost(denoisers) if hasattr(one, "enable_cache")]
    if cache.name == "sea":  # elsewhere it computes everything, in silence
        able = [one for one in able if type(one).__name__ in _SEEN_BY_SEA]
    if not able:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"no cache {cache.name} on this model")
    enabled = []
    try:
        for denoiser in able:
            enabled.append(denoiser)
            denoiser.enable_cache(_cache_config(pipe, cache, steps))
            if not _is_hooked(denoiser):  # it found nothing that it knows, and said so to nobody
                raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{cache.name} finds no place")
        yield
    finally:
        for denoiser in enabled:
            _drop_cache(denoiser)


def _drop_cache(denoiser: Any) -> None:
    """Also after ``enable_cache`` failed half-way: its hooks are then there, its name is not."""
    from diffusers.hooks import HookRegistry

    denoiser._reset_stateful_cache()  # noqa: SLF001 - diffusers offers no public way
    if denoiser.is_cache_enabled:
        denoiser.disable_cache()
        return
    for module in denoiser.modules():
        registry = getattr(module, "_diffusers_hook", None)
        if isinstance(registry, HookRegistry):
            for name in list(registry.hooks):
                registry.remove_hook(name, recurse=False)


def _is_hooked(denoiser: nn.Module) -> bool:
    registries = (getattr(module, "_diffusers_hook", None) for module in denoiser.modules())
    return any(registry is not None and registry.hooks for registry in registries)


def _cache_config(pipe: Any, cache: Cache, steps: int) -> Any:
    import diffusers

    settings = {
        name: tuple(value) if name.endswith("_range") and isinstance(value, list) else value
        for name, value in cache.settings.items()
    }
    kinds = {
        "first_block": "FirstBlockCacheConfig",
        "mag": "MagCacheConfig",
        "taylor_seer": "TaylorSeerCacheConfig",
        "faster": "FasterCacheConfig",
        "pab": "PyramidAttentionBroadcastConfig",
        "sea": "SeaCacheConfig",
    }
    if cache.name == "taylor_seer" and not settings.get("use_lite_mode"):
        settings["cache_identifiers"] = _ATTENTIONS
    if cache.name == "mag":
        settings["num_inference_steps"] = steps
    if cache.name in ("faster", "pab"):
        settings["current_timestep_callback"] = lambda: pipe.current_timestep
    try:
        return getattr(diffusers, kinds[cache.name])(**settings)
    except (TypeError, ValueError) as error:
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{cache.name}: {error}") from error


def compile_blocks(denoisers: tuple[nn.Module, ...]) -> bool:
    """The repeated blocks of each; false where a model names none."""
    able = [one for one in outermost(denoisers) if getattr(one, "_repeated_blocks", None)]
    for denoiser in able:
        denoiser.compile_repeated_blocks(fullgraph=True)
    return bool(able)


@contextmanager
def uncompiled(*, when: bool) -> Iterator[None]:
    """A job with caches or styles changes the blocks themselves, which compiled ones do not see."""
    if not when:
        yield
        return
    import torch

    with torch.compiler.set_stance("force_eager"):
        yield


def choose_attention(denoisers: tuple[nn.Module, ...], wanted: tuple[str, ...]) -> str:
    """The first of these backends that is at hand here, on every denoiser; its name."""
    for name in wanted:
        try:
            for denoiser in outermost(denoisers):
                denoiser.set_attention_backend(name)
        except (ImportError, OSError, RuntimeError, ValueError, AttributeError) as error:
            log.warning("attention_not_at_hand", extra={"backend": name, "why": str(error)[:200]})
        else:
            return name
    for denoiser in outermost(denoisers):
        if hasattr(denoiser, "set_attention_backend"):
            # By name: the choice of the model before is the process's, and would stay.
            denoiser.set_attention_backend("native")
    return "native"


@contextmanager
def tiled(vae: Any) -> Iterator[None]:
    """Decoding in pieces that overlap: less memory, and other pixels where pieces meet."""
    switches = ("use_tiling", "use_slicing", "use_framewise_decoding")
    before = {name: getattr(vae, name) for name in switches if hasattr(vae, name)}
    if "use_tiling" not in before or not hasattr(vae, "enable_tiling"):
        raise EngineFailure(FailureCode.OUT_OF_MEMORY, "and its decoder knows no tiles")
    try:
        vae.enable_tiling()
        for name in before:
            setattr(vae, name, True)
        yield
    finally:
        for name, value in before.items():
            setattr(vae, name, value)


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """None where a tensor or anything else without plain words is among the arguments."""
    import torch

    def plain(value: Any) -> Any:
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        if isinstance(value, (torch.device, torch.dtype)):
            return str(value)
        if isinstance(value, (list, tuple)):
            return [plain(one) for one in value]
        raise TypeError

    try:
        told = json.dumps([plain(args), {name: plain(kwargs[name]) for name in sorted(kwargs)}])
    except TypeError:
        return None
    return hashlib.sha256(told.encode()).hexdigest()


def _copied(made: Any) -> Any:
    import torch

    if isinstance(made, torch.Tensor):
        return made.clone()
    if isinstance(made, (list, tuple)):
        return type(made)(_copied(one) for one in made)
    return made


def _bytes_of(made: Any) -> int:
    import torch

    if isinstance(made, torch.Tensor):
        return int(made.nbytes)
    return sum(_bytes_of(one) for one in made) if isinstance(made, (list, tuple)) else 0
