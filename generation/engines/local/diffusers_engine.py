"""The engine that runs a real pipeline of diffusers in this process, on the CPU or on CUDA.

torch and diffusers are imported inside functions only: the web imports this module to read limits.
Nothing here reaches the network, and nothing but safetensors is ever loaded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.limits import Capabilities
from generation.engines.local.checkpoint import (
    Checkpoint,
    file_hashes,
    parameter_count,
    stored_dtype,
    tensor_names,
)
from generation.engines.local.families import family_of
from generation.engines.local.family import Family, Run
from generation.engines.local.pictures import prepared
from generation.engines.local.reading import read_checkpoint
from generation.engines.local.watching import Ticker, watched
from generation.engines.order import Order
from generation.engines.protocol import (
    EngineFailure,
    Estimate,
    FailureCode,
    Frame,
    Frames,
    Sound,
    Stage,
    Watch,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

    from generation.engines.local.family import Latents

# Useful floating-point operations a second, before the first clip has been measured.
_SPEED = {"cpu": 2e10, "cuda": 2e14}


class DiffusersEngine:
    name: ClassVar[str] = "diffusers"
    packages: ClassVar[tuple[str, ...]] = (
        "torch",
        "diffusers",
        "transformers",
        "accelerate",
        "safetensors",
    )

    def __init__(self) -> None:
        self._checkpoint: Checkpoint | None = None
        self._pipe: Any | None = None
        self._hashes: dict[str, str] = {}
        self._slowness: float | None = None

    def capabilities(self, checkpoint: Path | None) -> Capabilities:
        return read_checkpoint(checkpoint).capabilities()

    def load(self, checkpoint: Path | None) -> None:
        if self._checkpoint is not None and self._checkpoint.folder == checkpoint:
            return
        self.close()
        found = read_checkpoint(checkpoint)
        with _failures(None, FailureCode.CHECKPOINT_DAMAGED):
            self._pipe = _loaded(found)
        self._checkpoint = found

    def estimate(self, order: Order) -> Estimate:
        """From the model's size until a clip was measured here, from that clip afterwards."""
        found = read_checkpoint(order.checkpoint)
        seconds = _expected_s(found, order, self._device()) * (self._slowness or 1.0)
        width, height = found.capabilities().sizes.generated(order.width, order.height)
        spread = 4.0 if self._slowness is None else 1.5
        return Estimate(
            seconds=seconds,
            seconds_low=seconds / spread,
            seconds_high=seconds * spread,
            memory_bytes=order.frames * width * height * 3 * 4 * 3,
        )

    def render(self, order: Order, watch: Watch, *, kept: Path | None = None) -> Frames:
        checkpoint, pipe = self._resident(order)
        limits = checkpoint.capabilities()
        limits.check(order)
        ticker = Ticker(watch, order.steps)
        started = time.monotonic()
        with _failures(ticker, FailureCode.ENGINE_ERROR):
            run = _run(pipe, checkpoint, order, ticker)
            parts = _family(checkpoint).parts(pipe)
            with watched(pipe, parts, ticker, order.frames):
                yield from _pieces(run)
        expected = _expected_s(checkpoint, order, self._device())
        self._slowness = (time.monotonic() - started) / expected

    def describe(self) -> dict[str, Any]:
        if self._checkpoint is None or self._pipe is None:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED)
        if not self._hashes:  # a minute for a large model, so once per load
            self._hashes = file_hashes(self._checkpoint.folder)
        return {
            "engine": self.name,
            "family": self._checkpoint.family,
            "pipeline": self._checkpoint.pipeline,
            "scheduler": type(self._pipe.scheduler).__name__,
            "dtype": str(self._pipe.transformer.dtype).removeprefix("torch."),
            "device": _device_name(),
            "weights": dict(self._hashes),
            "libraries": {name: version(name) for name in (*self.packages, "numpy")},
        }

    def close(self) -> None:
        self._pipe, self._checkpoint, self._hashes = None, None, {}
        self._slowness = None
        _free_device()

    def _resident(self, order: Order) -> tuple[Checkpoint, Any]:
        loaded = self._checkpoint
        if loaded is None or self._pipe is None or loaded.folder != order.checkpoint:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED, str(order.checkpoint))
        return loaded, self._pipe

    def _device(self) -> str:
        return "cpu" if self._pipe is None else str(self._pipe.device.type)


def _family(checkpoint: Checkpoint) -> Family:
    family = family_of(checkpoint.pipeline)
    if family is None:  # its package was uninstalled since the checkpoint was read
        raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, checkpoint.pipeline)
    return family


def _loaded(checkpoint: Checkpoint) -> Any:
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"
    import diffusers
    import torch
    import transformers

    _quieten(diffusers, transformers)
    family = _family(checkpoint)
    pipe = family.load(checkpoint, _dtype(checkpoint))
    for part in family.weighted:
        _check_complete(getattr(pipe, part), part, tensor_names(checkpoint.folder, part))
    pipe.set_progress_bar_config(disable=True)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        pipe.to("cuda")
    return pipe


def _check_complete(model: nn.Module, part: str, stored: set[str]) -> None:
    """Both libraries fill a missing tensor with random numbers and a line in the log."""
    tensors = model.state_dict()
    # Tied tensors are stored once, under one of their names.
    filled = {tensors[name].data_ptr() for name in stored & set(tensors)}
    missing = [name for name, value in tensors.items() if value.data_ptr() not in filled]
    if missing:
        raise ValueError(f"{part} lacks {missing[:3]}")


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


def _run(pipe: Any, checkpoint: Checkpoint, order: Order, ticker: Ticker) -> Run:
    import torch

    width, height = checkpoint.capabilities().sizes.generated(order.width, order.height)
    return Run(
        pipe=pipe,
        checkpoint=checkpoint,
        order=order,
        tier=checkpoint.preset.tiers[order.tier],
        # On the CPU whatever the device: the same seed then starts from the same noise everywhere.
        generator=torch.Generator("cpu").manual_seed(order.seed),
        ticker=ticker,
        width=width,
        height=height,
        pictures=prepared(order, width, height),
    )


def _pieces(run: Run) -> Generator[Frame | Sound, None, None]:
    """The sound where there is one, then every frame."""
    family, order, ticker = _family(run.checkpoint), run.order, run.ticker
    corner = run.checkpoint.capabilities().sizes.crop(order.width, order.height)
    ticker.tick(Stage.PROMPT, 0, 1)
    latents = family.denoise(run)
    _check_finite(latents)
    sound = family.sound(run, latents)
    if sound is not None:
        yield sound
    number = 0
    for clip in family.decode(run, latents):
        for place in range(clip.shape[1]):
            if number < order.frames:  # some decoders pad the end to a whole latent
                ticker.tick(Stage.DECODE, number, order.frames)
                yield _frame(clip[:, place], corner, order)
            number += 1
    ticker.tick(Stage.DECODE, order.frames, order.frames)


def _frame(picture: torch.Tensor, corner: tuple[int, int], order: Order) -> Frame:
    """One frame to eight bits on the device; only these bytes cross to the host."""
    import torch

    left, top = corner
    cropped = picture[:, top : top + order.height, left : left + order.width].float()
    _check_finite({"frame": cropped})
    levels = cropped.mul(0.5).add(0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
    frame: Frame = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return frame


def _check_finite(values: Latents) -> None:
    """NaN becomes black on its way to eight bits, and nobody would be told."""
    for name, value in values.items():
        if not bool(value.isfinite().all()):
            raise EngineFailure(FailureCode.BLACK_CLIP, f"not a number in the {name}")


@contextmanager
def _failures(ticker: Ticker | None, otherwise: FailureCode) -> Iterator[None]:
    try:
        yield
    except EngineFailure:
        raise
    except Exception as error:
        if ticker is not None and error is ticker.raised:
            raise
        code = _code_of(error) or otherwise
        if code is FailureCode.OUT_OF_MEMORY:
            _free_device()
        raise EngineFailure(code, f"{type(error).__name__}: {error}"[:2000]) from error


def _code_of(error: Exception) -> FailureCode | None:
    import torch

    text = str(error).lower()
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and ("allocate memory" in text or "out of memory" in text)
    ):
        return FailureCode.OUT_OF_MEMORY
    if isinstance(error, torch.AcceleratorError) or "cuda error" in text:
        return FailureCode.DEVICE_LOST
    return None


def _free_device() -> None:
    import gc
    import sys

    gc.collect()
    torch = sys.modules.get("torch")  # closing an engine that never loaded must not import it
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _device_name() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _expected_s(checkpoint: Checkpoint, order: Order, device: str) -> float:
    """Two operations per parameter and token, twice for guidance; decoding counted by pixels."""
    width, height = checkpoint.capabilities().sizes.generated(order.width, order.height)
    grid = checkpoint.grid
    cells = (order.frames - 1) // grid.temporal + 1
    tokens = cells * (width // grid.spatial) * (height // grid.spatial)
    denoising = 4.0 * order.steps * tokens * parameter_count(checkpoint.folder, "transformer")
    decoding = 2e4 * order.frames * width * height
    return (denoising + decoding) / _SPEED.get(device, _SPEED["cpu"])
