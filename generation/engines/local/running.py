"""One clip, from prompt to frames: the same for every family."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generation.engines.limits import SizeRule
from generation.engines.local.family import Family, Run
from generation.engines.local.faults import code_of, free_device
from generation.engines.local.keeping import Kept
from generation.engines.local.levers import cached, tiled, uncompiled
from generation.engines.local.pictures import enlarged
from generation.engines.local.previews import Previews
from generation.engines.local.scheduling import clean, scheduled
from generation.engines.local.styles import styled
from generation.engines.local.watching import Parts, watched
from generation.engines.local.windows import Window, window_count, window_of
from generation.engines.order import Order
from generation.engines.protocol import EngineFailure, FailureCode, Frame, Sound, Stage

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

log = logging.getLogger("greenroom.engines")


@dataclass(kw_only=True)
class Clip:
    """A run and what surrounds it. ``keeps_answers``: the job is long enough for a later attempt
    to go on in the middle of denoising. ``is_tiled`` and ``was_kept`` are found out on the way;
    ``last`` is the picture that the newest window ended with."""

    run: Run
    family: Family
    parts: Parts
    previews: Previews
    kept: Kept | None = None
    keeps_answers: bool = False
    is_tiled: bool = field(default=False, init=False)
    was_kept: bool = field(default=False, init=False)
    last: Frame | None = field(default=None, init=False)


def pieces(clip: Clip) -> Generator[Frame | Sound, None, None]:
    """The sound where there is one, then every frame."""
    run = clip.run
    with watched(run.pipe, clip.parts, run.ticker, run.order.frames):
        run.ticker.tick(Stage.PROMPT, 0, 1)
        for number in range(window_count(run.checkpoint, run.order.frames)):
            window = window_of(run, clip.kept, number, clip.last)
            latents = _latents(clip, window)
            sound = clip.family.sound(window.run, latents)
            if sound is not None:
                yield sound
            yield from _decoded(clip, window, latents)
        run.ticker.frame_done(run.order.frames, run.order.frames)


def _latents(clip: Clip, window: Window) -> Latents:
    """Those of an earlier attempt at this very clip, or new ones, kept for a later attempt."""
    run, kept = window.run, window.kept
    found = kept.latents(str(run.pipe.device)) if kept is not None else None
    if found is not None:
        latents, state = found
        # Decoders that were trained with noise draw it from here, and the next window its own.
        run.generator.set_state(state)
        run.ticker.denoised_before(clip.family.steps(run.order, run.tier))
        clip.was_kept = True
        return latents
    latents = _denoised(clip, window)
    _check_finite(latents)
    if kept is not None:
        kept.keep_latents(latents, run.generator.get_state())
    return latents


def _denoised(clip: Clip, window: Window) -> Latents:
    run, tier, denoisers = window.run, window.run.tier, clip.parts.denoisers
    changes_blocks = bool(run.order.styles or tier.lora or tier.cache)
    with ExitStack() as job:
        job.enter_context(styled(run.pipe, denoisers, run.checkpoint, run.order, tier))
        job.enter_context(uncompiled(when=changes_blocks))
        job.enter_context(cached(run.pipe, denoisers, tier.cache, run.order.steps))
        job.enter_context(scheduled(run.pipe, tier, _shower(clip, run)))
        # A cache between steps remembers computed steps; replayed ones would leave it empty.
        if window.kept is not None and clip.keeps_answers and tier.cache is None:
            job.enter_context(window.kept.answers(denoisers))
        return clip.family.denoise(run)


def _shower(clip: Clip, run: Run) -> Any:
    ticker = run.ticker

    def after_step(scheduler: Any, before: torch.Tensor, after: torch.Tensor) -> None:
        if not ticker.wants_preview():
            return
        with ticker.quiet():
            picture = _picture(clip, run, clean(scheduler, before, after))
        if picture is not None:
            ticker.preview(picture)

    return after_step


def _picture(clip: Clip, run: Run, foreseen: torch.Tensor) -> Frame | None:
    try:
        block = clip.family.block(run, foreseen)
        return None if block is None else clip.previews.picture(block)
    except Exception:  # a clip is worth more than its previews
        log.warning("no_preview", exc_info=True)
        return None


def _decoded(clip: Clip, window: Window, latents: Latents) -> Iterator[Frame]:
    """Once more in tiles where memory ran out before the first frame of the clip, and then all of
    it. Later it is a failure: tiles would begin in the middle of the clip, and show."""
    run = window.run
    state, is_begun = run.generator.get_state(), window.first > 0
    if not clip.is_tiled:
        try:
            for frame in _frames(clip, window, latents):
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
        yield from _frames(clip, window, latents)


def _frames(clip: Clip, window: Window, latents: Latents) -> Iterator[Frame]:
    run, order, ticker = window.run, clip.run.order, window.run.ticker
    sizes = run.checkpoint.capabilities().sizes
    number, end = -window.before, run.order.frames - window.before
    for piece in clip.family.decode(run, latents):
        for place in range(piece.shape[1]):
            if number < end:  # some decoders pad the end to a whole latent
                levels = _levels(piece[:, place])
                if number == end - 1 and run.checkpoint.window is not None:
                    clip.last = levels.cpu().numpy().copy()
                if number >= 0:
                    ticker.frame_done(window.first + number, order.frames)
                    yield _frame(levels, sizes, order)
            number += 1


def _frame(levels: torch.Tensor, sizes: SizeRule, order: Order) -> Frame:
    """What of a generated picture goes into the file: all but what is cropped, or all, enlarged."""
    left, top = sizes.crop(order.width, order.height)
    cropped = levels[top : top + order.height, left : left + order.width]
    frame: Frame = cropped.contiguous().cpu().numpy()
    if sizes.enlarged_by(order.width, order.height) > 1:
        return enlarged(frame, order.width, order.height)
    return frame


def _levels(picture: torch.Tensor) -> torch.Tensor:
    """One picture (3, rows, columns) to eight bits (rows, columns, 3) on the device; only these
    bytes cross to the host."""
    import torch

    whole = picture.float()
    _check_finite({"frame": whole})
    levels = whole.mul(0.5).add(0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous()


def _check_finite(values: Latents) -> None:
    """NaN becomes black on its way to eight bits, and nobody would be told."""
    for name, value in values.items():
        if not bool(value.isfinite().all()):
            raise EngineFailure(FailureCode.BLACK_CLIP, f"not a number in the {name}")
