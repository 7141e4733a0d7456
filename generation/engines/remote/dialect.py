"""How each kind of video server departs from the OpenAI Videos API, as values.

Read in the sources of sgl-project/sglang, vllm-project/vllm-omni and hao-ai-lab/FastVideo. What
holds for all of them is not in the table but simply how we speak: ``variant`` is never sent (the
video is the default, and SGLang took the word for an index), a state we do not know means "not
yet", ids are mortal, an error is read for ``detail`` and ``message`` where ``error`` is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from generation.engines.order import Mode


class Body(StrEnum):
    """How an order without a picture travels; with one it is always a form with a file."""

    FORM = "form"
    JSON = "json"


class Quitting(StrEnum):
    """What DELETE does to a job that still runs."""

    STOPS = "stops"
    FORGETS = "forgets"  # the id is gone, the device works on to the end


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


WORDS: Mapping[str, State] = MappingProxyType(
    {
        "queued": State.WAITING,
        "in_progress": State.RUNNING,
        "completed": State.DONE,
        "failed": State.FAILED,
        # Beyond the standard's four, as met in the wild.
        "pending": State.WAITING,
        "processing": State.RUNNING,
        "running": State.RUNNING,
        "succeeded": State.DONE,
        "error": State.FAILED,
        "cancelled": State.FAILED,
        "canceled": State.FAILED,
        "deleted": State.FAILED,
        "expired": State.FAILED,
    }
)
"""The states of a job. A word that is not here means "not yet": the time limit ends the waiting."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the server calls our notions; None where it has no word, and then nothing is sent."""

    frames: str | None = None
    rate: str | None = None
    seed: str | None = None
    steps: str | None = None
    guidance: str | None = None
    negative_prompt: str | None = None
    tier: str | None = None
    sound: str | None = None


_DIFFUSION = Names(
    frames="num_frames",
    rate="fps",
    seed="seed",
    steps="num_inference_steps",
    guidance="guidance_scale",
    negative_prompt="negative_prompt",
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """``base`` goes before every path but ``health``.

    ``failed_as_error``: a failed job is told with an HTTP error whose body is the job.
    ``has_progress``: it counts, instead of jumping from 0 to 100.
    ``takes_token``: a repeated create with the same ``Idempotency-Key`` makes no second job.
    ``has_names``: the server lists its models, ours must be among them.
    ``whole_seconds``: a length that is said in seconds has no fraction.
    ``untagged_is_601``: a file without colour tags was converted by swscale's default, BT.601,
    whatever its size; a player would guess BT.709 for HD and show it wrongly.
    ``lacks`` are sentences for the operator's page.
    """

    name: str
    base: str = "/v1"
    health: str = "/health"
    body: Body = Body.FORM
    names: Names = field(default_factory=Names)
    modes: tuple[Mode, ...] = (Mode.TEXT, Mode.IMAGE)
    quitting: Quitting = Quitting.STOPS
    failed_as_error: bool = False
    has_progress: bool = True
    takes_token: bool = False
    has_names: bool = True
    whole_rates: bool = True
    whole_seconds: bool = True
    untagged_is_601: bool = False

    @property
    def lacks(self) -> tuple[str, ...]:
        """In the operator's words; the same sentences stand in docs/remote.md."""
        told = (
            (self.quitting is Quitting.FORGETS, "cancelling does not free its device"),
            (not self.has_progress, "progress jumps from nothing to all"),
            (not self.takes_token, "a create whose answer is lost may render twice"),
            (self.names.seed is None, "the seed is its own"),
            (self.names.steps is None, "the steps are its own"),
            (self.names.frames is None and self.whole_seconds, "the length is in whole seconds"),
            (self.names.negative_prompt is None, "no negative prompt"),
        )
        return tuple(sentence for is_so, sentence in told if is_so)


_ALL = (
    Dialect(
        name="openai",
        health="/v1/models",
    ),
    Dialect(
        name="greenroom",
        health="/v1/models",
        # A tier has its own steps there, and a model its own rate.
        names=Names(seed="seed", tier="tier"),
        takes_token=True,
        whole_rates=False,
        whole_seconds=False,
    ),
    Dialect(
        name="sglang",
        # Early releases take a form only together with a picture, and read nothing but frames and
        # rate from it.
        body=Body.JSON,
        names=_DIFFUSION,
        quitting=Quitting.FORGETS,
        untagged_is_601=True,
        has_names=False,  # it runs one model, whatever name is asked for
    ),
    Dialect(
        name="vllm-omni",
        names=Names(
            frames=_DIFFUSION.frames,
            rate=_DIFFUSION.rate,
            seed=_DIFFUSION.seed,
            steps=_DIFFUSION.steps,
            guidance=_DIFFUSION.guidance,
            negative_prompt=_DIFFUSION.negative_prompt,
            sound="generate_sound",
        ),
        failed_as_error=True,
        has_progress=False,
        untagged_is_601=True,
    ),
    Dialect(
        name="fastvideo",
        # A form is filled up with defaults (a seed of 1024, 4 seconds); JSON is taken as it is.
        body=Body.JSON,
        names=_DIFFUSION,
        quitting=Quitting.FORGETS,
        has_progress=False,
        untagged_is_601=True,
        has_names=False,
    ),
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType({each.name: each for each in _ALL})
