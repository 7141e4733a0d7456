"""Progress and stop on any pipeline: hooks before each part of the model, none of its own.

diffusers' documented way (``_interrupt``) still pays for the decode and is lost when set early; an
exception from a hook ends the run inside a step, and the pipeline stays as good as new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from generation.engines.protocol import Frame, Stage, Watch

if TYPE_CHECKING:
    from torch import nn

Answer = TypeVar("Answer")


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
        self._decoded = 0
        self._is_quiet = False
        self.raised: BaseException | None = None

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        if not self._is_quiet:
            self._asked(lambda: self._watch.tick(stage, step, steps))

    def wants_preview(self) -> bool:
        return self._asked(self._watch.wants_preview)

    def preview(self, picture: Frame) -> None:
        self._asked(lambda: self._watch.preview(picture))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """For parts of the model that run for a preview: where the clip is does not change."""
        self._is_quiet = True
        try:
            yield
        finally:
            self._is_quiet = False

    def denoised_before(self, steps: int) -> None:
        """An earlier attempt did these."""
        self._done += steps
        self.denoising()

    def denoising(self) -> None:
        self.tick(Stage.DENOISE, self._done, self._steps)

    def step_done(self) -> None:
        self._done += 1
        self.denoising()

    def decoding(self, frames: int) -> None:
        """Inside the decoder: frames that a streaming one gave before are not taken back."""
        self.tick(Stage.DECODE, self._decoded, frames)

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except BaseException as error:
            self.raised = error
            raise

    def frame_done(self, number: int, frames: int) -> None:
        self._decoded = number
        self.tick(Stage.DECODE, number, frames)


@contextmanager
def watched(pipe: Any, parts: Parts, ticker: Ticker, frames: int) -> Iterator[None]:
    """Hooks for the length of one job. Afterwards, however it ended, no state of it is left:
    a cache kept past an exception would show in the next person's clip."""
    undo: list[Callable[[], None]] = []
    try:
        for module, tick in _watched_modules(parts, ticker, frames):
            undo.append(_hooked(module, tick))
        yield
    finally:
        for unhook in reversed(undo):
            unhook()
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
            yield module, lambda: ticker.decoding(frames)


def _blocks(model: nn.Module) -> Iterator[nn.Module]:
    """The repeated blocks by which diffusers itself compiles a transformer."""
    kinds = set(getattr(model, "_repeated_blocks", None) or ())
    return (module for module in model.modules() if type(module).__name__ in kinds)


def _decoder_parts(decoder: nn.Module) -> Iterator[nn.Module]:
    for child in decoder.children():
        grandchildren = list(child.children())
        yield from grandchildren or [child]


def _hooked(module: nn.Module, tick: Callable[[], None]) -> Callable[[], None]:
    """What takes it off again."""
    compiled = getattr(module, "_compiled_call_impl", None)
    if compiled is None:
        unhook: Callable[[], None] = module.register_forward_pre_hook(_before(tick)).remove
        return unhook

    # A hook would be compiled with the block, and tick for this job ever after.
    def ticking(*args: Any, **kwargs: Any) -> Any:
        tick()
        return compiled(*args, **kwargs)

    module._compiled_call_impl = ticking  # noqa: SLF001 - torch offers no public way

    def restore() -> None:
        module._compiled_call_impl = compiled  # noqa: SLF001

    return restore


def _before(tick: Callable[[], None]) -> Callable[[Any, Any], None]:
    def hook(_module: Any, _inputs: Any) -> None:
        tick()

    return hook
