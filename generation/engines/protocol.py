"""The seam between the worker and whatever makes frames. No Django, no torch.

A run is: ``engine.load(checkpoint)`` once, then ``engine.render(order, watch)`` per clip, each
frame going straight to the encoder. Engines are not thread-safe: one engine, one thread, one clip
at a time.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from generation.engines.limits import Capabilities
from generation.engines.order import Order

Frame = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3), uint8, C-contiguous, full range; the engine never reuses it."""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The whole sound track: float32, shape (channels, samples), -1 … 1; ``rate`` in hertz."""

    samples: npt.NDArray[np.float32]
    rate: int


Frames = Generator[Frame | Sound, None, None]
"""A ``Sound`` first, where the model makes one, then exactly as many frames as were ordered."""


class Stage(StrEnum):
    """Where a run is. ``load`` and ``encode`` are the worker's to report, the rest the engine's."""

    LOAD = "load"
    PROMPT = "prompt"
    DENOISE = "denoise"
    DECODE = "decode"
    ENCODE = "encode"


class Stopped(Exception):
    """Raised by ``Watch.tick`` to end a run: cancelled, lease lost, time limit, credential frozen.

    Engines let it (and any other exception of the watch) pass unchanged and leave themselves ready
    for the next order. A subclass may carry the reason.
    """


class Watch(Protocol):
    """What the worker passes in. Called from the rendering thread, many times a step.

    Only ``tick`` must be written; whoever shows no previews inherits the other two.
    """

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """``step`` of ``steps`` of this stage are *done*. May raise ``Stopped``; must be cheap.

        It comes once per denoiser block, hundreds of times a second on a small model: look at a
        flag or a monotonic clock here, and go to the database at most a few times a second.
        """

    def wants_preview(self) -> bool:
        """Whether it is time for one; the engine spends nothing on previews that nobody sees."""
        return False

    def preview(self, picture: Frame) -> None:
        """One frame as it looks so far, small (a latent a pixel, or a little more)."""
        return  # a body of its own, so that nobody has to write one


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Seconds from the first tick to the last frame, with a range; memory above the model's own."""

    seconds: float
    seconds_low: float
    seconds_high: float
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class TierFacts:
    """How a tier is made. ``levers`` and ``measured`` are JSON; a lossy one without ``measured``
    is refused when the model is added."""

    steps: int
    levers: dict[str, Any] = field(default_factory=dict)
    is_lossy: bool = False
    measured: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What the files of a checkpoint say: ``weights`` are SHA-256 by path inside the folder;
    ``words`` those the model knows, none where it knows any; ``examples`` prompts to begin with."""

    family: str
    weights: dict[str, str]
    tiers: dict[str, TierFacts]
    words: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class FailureCode(StrEnum):
    CHECKPOINT_MISSING = "checkpoint_missing"
    CHECKPOINT_DAMAGED = "checkpoint_damaged"
    CHECKPOINT_FOREIGN = "checkpoint_foreign"
    CHECKPOINT_NOT_LOADED = "checkpoint_not_loaded"
    OUT_OF_MEMORY = "out_of_memory"
    BLACK_CLIP = "black_clip"
    DEVICE_LOST = "device_lost"
    STYLE_FOREIGN = "style_foreign"
    LEVER_UNMEASURED = "lever_unmeasured"
    REFERENCE_MISSING = "reference_missing"
    EXTENDED_MISSING = "extended_missing"
    ENGINE_STALLED = "engine_stalled"
    REMOTE_AWAY = "remote_away"
    REMOTE_REFUSED = "remote_refused"
    REMOTE_GARBAGE = "remote_garbage"
    ENGINE_ERROR = "engine_error"


class EngineFailure(Exception):
    """The engine could not finish. ``code`` is for the tester, ``detail`` for the operator's log
    only: it may name folders of this machine."""

    def __init__(self, code: FailureCode, detail: str = "") -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail

    @property
    def may_pass(self) -> bool:
        """Whether another attempt, in a fresh process or on another device, has a chance."""
        return self.code in (
            FailureCode.DEVICE_LOST,
            FailureCode.ENGINE_ERROR,
            FailureCode.ENGINE_STALLED,
            FailureCode.REMOTE_AWAY,
            FailureCode.REMOTE_GARBAGE,
        )

    @property
    def spoils_process(self) -> bool:
        """Whether this process should take no further job: memory in pieces, or the device gone."""
        return self.code in (FailureCode.OUT_OF_MEMORY, FailureCode.DEVICE_LOST)


class Engine(Protocol):
    """Something that renders. Its module must import quickly and without its heavy packages: the
    web process asks ``capabilities`` and must never import torch."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    """Distributions that ``load`` and ``render`` need; looked up, not imported, by the registry."""

    def capabilities(self, checkpoint: Path | None) -> Capabilities:
        """Limits of this engine with this checkpoint, from its configuration files alone.

        Raises ``EngineFailure`` when the folder is missing or is not one of this engine's."""

    def inspect(self, checkpoint: Path | None) -> Inspection:
        """Everything the catalogue keeps about a checkpoint, from its files alone; reads each of
        them once, so it takes minutes for a large one. Raises ``EngineFailure``."""

    def load(self, checkpoint: Path | None) -> None:
        """Makes the checkpoint resident, replacing another; at once if it already is. Raises
        ``EngineFailure``."""

    def estimate(self, order: Order) -> Estimate: ...

    def render(self, order: Order, watch: Watch, *, kept: Path | None = None) -> Frames:
        """A generator of exactly ``order.frames`` frames; all work happens while it is iterated.

        ``kept`` is a folder of this job's own, the same on every attempt: an engine may leave there
        what a later attempt resumes from, and trusts nothing in it that is not of this very order.
        Raises ``OrderRefused`` and ``EngineFailure`` from the first ``next``, and whatever the
        watch raises. Close it (``contextlib.closing``) when leaving early: that frees the device.
        """

    def describe(self) -> dict[str, Any]:
        """JSON facts for the recipe: engine, weights' hashes, class, dtype, device, versions."""

    def close(self) -> None:
        """Frees the model and the device. The engine may be loaded again."""
