"""The scheduler of one job: the tier's own, and an ear at each of its steps.

Every stock pipeline steps through ``scheduler.step``, so this is the one place where the latents of
a step can be seen in any of them. A scheduler is shared by the pipelines of a family and copied by
some (a sound track has its own), so it is changed in place and put back as it was.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from generation.engines.local.tiers import Tier
from generation.engines.protocol import EngineFailure, FailureCode

if TYPE_CHECKING:
    import torch

AfterStep = Callable[[Any, "torch.Tensor", "torch.Tensor"], None]
"""Called with the scheduler, the latents a step began with, and those it made."""


@contextmanager
def scheduled(pipe: Any, tier: Tier, after_step: AfterStep) -> Iterator[None]:
    scheduler = getattr(pipe, "scheduler", None)
    if scheduler is None:
        yield
        return
    kind, state = type(scheduler), scheduler.__dict__
    fresh = tiers_own(scheduler, tier)
    try:
        scheduler.__dict__ = fresh.__dict__
        scheduler.__class__ = _heard(scheduler, type(fresh), tier.sigmas, after_step)
        yield
    finally:
        scheduler.__class__, scheduler.__dict__ = kind, state


def tiers_own(scheduler: Any, tier: Tier) -> Any:
    """A new scheduler as the tier wants it; nothing of an earlier clip is in it."""
    if tier.scheduler is None and tier.shift is None and tier.sigmas is None:
        return copy.deepcopy(scheduler)
    import diffusers

    kind = getattr(diffusers, tier.scheduler) if tier.scheduler else type(scheduler)
    changes: dict[str, Any] = {}
    if tier.shift is not None or tier.sigmas is not None:
        # Noise levels that are written down are meant as they stand.
        shift = 1.0 if tier.shift is None or tier.sigmas is not None else tier.shift
        changes = {"shift": shift, "flow_shift": shift, "use_dynamic_shifting": False}
    if tier.sigmas is not None:
        changes |= {"shift_terminal": None, "use_flow_sigmas": True}
        if "sigmas" not in inspect.signature(kind.set_timesteps).parameters:
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{kind.__name__} takes no sigmas")
    known = inspect.signature(kind.__init__).parameters
    return kind.from_config(
        scheduler.config, **{name: value for name, value in changes.items() if name in known}
    )


def clean(scheduler: Any, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The finished latents as this step foresees them: for flow matching the straight line from
    noise is followed to its end, for other schedulers the latents stand for themselves."""
    sigmas, place = getattr(scheduler, "sigmas", None), getattr(scheduler, "step_index", None)
    if not _flows(scheduler) or sigmas is None or not place or before.shape != after.shape:
        return after
    was, now = float(sigmas[place - 1]), float(sigmas[place])
    if was == now:
        return after
    return after - now * (after - before) / (now - was)


def _flows(scheduler: Any) -> bool:
    config = scheduler.config
    return (
        "FlowM" in type(scheduler).__name__
        or getattr(config, "prediction_type", None) == "flow_prediction"
        or bool(getattr(config, "use_flow_sigmas", False))
    )


def _heard(
    scheduler: Any, kind: type, sigmas: tuple[float, ...] | None, after_step: AfterStep
) -> type:
    plain_step: Any = kind.step  # type: ignore[attr-defined]
    plain_set: Any = kind.set_timesteps  # type: ignore[attr-defined]
    signature = inspect.signature(plain_step)

    @wraps(plain_step)  # pipelines look at the signature
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = plain_step(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        if self is scheduler and "sample" in given:
            after_step(self, given["sample"], made[0])
        return made

    @wraps(plain_set)
    def set_timesteps(self: Any, *args: Any, **kwargs: Any) -> Any:
        if sigmas is None:
            return plain_set(self, *args, **kwargs)
        # A second stage asks for steps of its own, which the tier's noise levels are not for.
        given = inspect.signature(plain_set).bind(self, *args, **kwargs).arguments
        lists = [given[name] for name in ("timesteps", "sigmas") if given.get(name) is not None]
        asked = len(lists[0]) if lists else given.get("num_inference_steps")
        if asked != len(sigmas):
            return plain_set(self, *args, **kwargs)
        return plain_set(self, sigmas=list(sigmas), device=given.get("device"))

    made = type(kind.__name__, (kind,), {"step": step, "set_timesteps": set_timesteps})
    made.__module__ = kind.__module__
    return made
