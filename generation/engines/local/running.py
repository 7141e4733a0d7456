"""One clip, from prompt to frames: the same for every family."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generation.engines.local.family import Family, Run
from generation.engines.local.faults import code_of, free_device
from generation.engines.local.keeping import Kept
from generation.engines.local.levers import cached, tiled, uncompiled
from generation.engines.local.previews import Previews
from generation.engines.local.scheduling import clean, scheduled
from generation.engines.local.styles import styled
from generation.engines.local.watching import Parts, watched
from generation.engines.order import Order
from generation.engines.protocol import EngineFailure, FailureCode, Frame, Sound, Stage

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

log = logging.getLogger("greenroom.engines")


@dataclass(kw_only=True)
class Clip:
    """A run and what surrounds it. ``keeps_answers``: the job is long enough for a later attempt
    to go on in the middle of denoising. ``is_tiled`` and ``was_kept`` are found out on the way."""

    run: Run
    family: Family
    parts: Parts
    previews: Previews
    kept: Kept | None = None
    keeps_answers: bool = False
    is_tiled: bool = field(default=False, init=False)
    was_kept: bool = field(default=False, init=False)


def pieces(clip: Clip) -> Generator[Frame | Sound, None, None]:
    """The sound where there is one, then every frame."""
    run = clip.run
    with watched(run.pipe, clip.parts, run.ticker, run.order.frames):
        run.ticker.tick(Stage.PROMPT, 0, 1)
        latents = _latents(clip)
        sound = clip.family.sound(run, latents)
        if sound is not None:
            yield sound
        yield from _decoded(clip, latents)


def _latents(clip: Clip) -> Latents:
    """Those of an earlier attempt at this very clip, or new ones, kept for a later attempt."""
    run = clip.run
    found = clip.kept.latents(str(run.pipe.device)) if clip.kept is not None else None
    if found is not None:
        latents, state = found
        # Decoders that were trained with noise draw it from here.
        run.generator.set_state(state)
        run.ticker.denoised_before()
        clip.was_kept = True
        return latents
    latents = _denoised(clip)
    _check_finite(latents)
    if clip.kept is not None:
        clip.kept.keep_latents(latents, run.generator.get_state())
    return latents


def _denoised(clip: Clip) -> Latents:
    run, tier, denoisers = clip.run, clip.run.tier, clip.parts.denoisers
    changes_blocks = bool(run.order.styles or tier.lora or tier.cache)
    with ExitStack() as job:
        job.enter_context(styled(run.pipe, denoisers, run.checkpoint, run.order, tier))
        job.enter_context(uncompiled(when=changes_blocks))
        job.enter_context(cached(run.pipe, denoisers, tier.cache, run.order.steps))
        job.enter_context(scheduled(run.pipe, tier, _shower(clip)))
        # A cache between steps remembers computed steps; replayed ones would leave it empty.
        if clip.kept is not None and clip.keeps_answers and tier.cache is None:
            job.enter_context(clip.kept.answers(denoisers))
        return clip.family.denoise(run)


def _shower(clip: Clip) -> Any:
    ticker = clip.run.ticker

    def after_step(scheduler: Any, before: torch.Tensor, after: torch.Tensor) -> None:
        if not ticker.wants_preview():
            return
        with ticker.quiet():
            picture = _picture(clip, scheduler, before, after)
        if picture is not None:
            ticker.preview(picture)

    return after_step


def _picture(clip: Clip, scheduler: Any, before: torch.Tensor, after: torch.Tensor) -> Frame | None:
    try:
        block = clip.family.block(clip.run, clean(scheduler, before, after))
        return None if block is None else clip.previews.picture(block)
    except Exception:  # a clip is worth more than its previews
        log.warning("no_preview", exc_info=True)
        return None


def _decoded(clip: Clip, latents: Latents) -> Iterator[Frame]:
    """Once more in tiles where memory ran out before the first frame. Later it is a failure:
    tiles would begin in the middle of the clip, and show."""
    run = clip.run
    state, is_begun = run.generator.get_state(), False
    try:
        for frame in _frames(clip, latents):
            is_begun = True
            yield frame
    except Exception as error:
        is_ours = error is not run.ticker.raised
        if is_begun or not is_ours or code_of(error) is not FailureCode.OUT_OF_MEMORY:
            raise
        log.warning("decoding_in_tiles", extra={"why": str(error)[:200]})
    else:
        return
    free_device()  # here, where the error and all that it held are gone
    run.generator.set_state(state)
    with tiled(getattr(run.pipe, "vae", None)):
        clip.is_tiled = True
        yield from _frames(clip, latents)


def _frames(clip: Clip, latents: Latents) -> Iterator[Frame]:
    run, order, ticker = clip.run, clip.run.order, clip.run.ticker
    corner = run.checkpoint.capabilities().sizes.crop(order.width, order.height)
    number = 0
    for piece in clip.family.decode(run, latents):
        for place in range(piece.shape[1]):
            if number < order.frames:  # some decoders pad the end to a whole latent
                ticker.frame_done(number, order.frames)
                yield _frame(piece[:, place], corner, order)
            number += 1
    ticker.frame_done(order.frames, order.frames)


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
