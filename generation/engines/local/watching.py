"""Progress and stop on any pipeline: hooks before each part of the model, none of its own.

diffusers' documented way (``_interrupt``) still pays for the decode and is lost when set early; an
exception from a hook ends the run inside a step, and the pipeline stays as good as new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generation.engines.protocol import Stage, Watch

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The modules whose forward passes tell where a run is, and may end it."""

    encoders: tuple[nn.Module, ...]
    denoisers: tuple[nn.Module, ...]
    decoders: tuple[nn.Module, ...]


class Ticker:
    """Remembers what the watch raised, so that it is never mistaken for a failure of the engine."""

    def __init__(self, watch: Watch, steps: int) -> None:
        self._watch = watch
        self._steps = steps
        self._done = 0
        self.raised: BaseException | None = None

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        try:
            self._watch.tick(stage, step, steps)
        except BaseException as error:
            self.raised = error
            raise

    def denoising(self) -> None:
        self.tick(Stage.DENOISE, self._done, self._steps)

    def step_done(self) -> None:
        self._done += 1
        self.denoising()


@contextmanager
def watched(pipe: Any, parts: Parts, ticker: Ticker, frames: int) -> Iterator[None]:
    """Hooks for the length of one job. Afterwards, however it ended, no state of it is left:
    a cache kept past an exception would show in the next person's clip."""
    handles = []
    try:
        for module, tick in _watched_modules(parts, ticker, frames):
            handles.append(module.register_forward_pre_hook(_before(tick)))
        yield
    finally:
        for handle in handles:
            handle.remove()
        forget_job(pipe)


def forget_job(pipe: Any) -> None:
    for component in pipe.components.values():
        reset = getattr(component, "_reset_stateful_cache", None)
        if reset is not None:
            reset()


def _watched_modules(
    parts: Parts, ticker: Ticker, frames: int
) -> Iterator[tuple[nn.Module, Callable[[], None]]]:
    for encoder in parts.encoders:
        yield encoder, lambda: ticker.tick(Stage.PROMPT, 0, 1)
    for denoiser in parts.denoisers:
        for module in (denoiser, *_blocks(denoiser)):
            yield module, ticker.denoising
    for decoder in parts.decoders:
        for module in _decoder_parts(decoder):
            yield module, lambda: ticker.tick(Stage.DECODE, 0, frames)


def _blocks(model: nn.Module) -> Iterator[nn.Module]:
    """The repeated blocks by which diffusers itself compiles a transformer."""
    kinds = set(getattr(model, "_repeated_blocks", None) or ())
    return (module for module in model.modules() if type(module).__name__ in kinds)


def _decoder_parts(decoder: nn.Module) -> Iterator[nn.Module]:
    for child in decoder.children():
        grandchildren = list(child.children())
        yield from grandchildren or [child]


def _before(tick: Callable[[], None]) -> Callable[[Any, Any], None]:
    def hook(_module: Any, _inputs: Any) -> None:
        tick()

    return hook
