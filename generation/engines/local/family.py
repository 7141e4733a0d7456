"""What a family of video models says about itself: the seam that a lab plugs its own into.

A family is a class with a few methods, named by the entry point ``greenroom.families``. This
module, and the top of every family's, imports neither torch nor diffusers: the web reads limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Checkpoint, Grid
from generation.engines.local.tiers import Tier
from generation.engines.local.watching import Parts, Ticker
from generation.engines.order import Condition, Order
from generation.engines.protocol import Sound

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    Latents = dict[str, torch.Tensor]
    """By name, ``video`` at least: all that decoding needs, and what is kept for a resume."""


_BLOCK_AXES, _TOKEN_AXES = 5, 3


@dataclass(frozen=True, kw_only=True)
class Run:
    """One clip in the making. ``width`` and ``height`` are what the model generates, before the
    crop. ``pictures`` holds each condition's picture, RGB, cropped to that size."""

    pipe: Any
    checkpoint: Checkpoint
    order: Order
    tier: Tier
    generator: torch.Generator
    ticker: Ticker
    width: int
    height: int
    pictures: tuple[tuple[Image, Condition], ...] = field(default=())

    @property
    def guidance(self) -> float:
        if self.order.guidance is not None:
            return self.order.guidance
        chosen = self.tier.guidance
        return self.checkpoint.preset.guidance if chosen is None else chosen

    @property
    def latent_frames(self) -> int:
        return (self.order.frames - 1) // self.checkpoint.grid.temporal + 1

    def stepwise(self, keep: Callable[[torch.Tensor], None] | None = None) -> dict[str, Any]:
        """Arguments for a stock pipeline that make each of its steps known here; ``keep`` gets the
        latents after each, in the form the pipeline works on."""

        def after_step(
            _pipe: Any, _step: int, _time: Any, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            if keep is not None:
                keep(tensors["latents"])
            self.ticker.step_done()
            return {}

        inputs = [] if keep is None else ["latents"]
        return {"callback_on_step_end": after_step, "callback_on_step_end_tensor_inputs": inputs}


class Family:
    """Inherit, and say how an order is put to the family's pipeline. Instances hold no state."""

    name: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]
    """Values of ``_class_name`` in ``model_index.json`` that are this family's."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Packages that the index may name beside diffusers and transformers. They get imported."""
    weighted: ClassVar[tuple[str, ...]] = ("transformer", "vae", "text_encoder")
    """Components that must have safetensors, each tensor of them."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Components of which the same holds where the index names them."""
    style_prefixes: ClassVar[tuple[str, ...]] = ("transformer.", "transformer_2.")
    """How the names in a style's file may begin before they name a layer of the denoiser."""
    guidance: ClassVar[float] = 3.0
    """What the stock pipeline uses when nobody says; ``greenroom.json`` and the order may."""

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        """From configuration files alone; no torch. ``KeyError``, ``TypeError`` and ``ValueError``
        mean a damaged checkpoint."""
        raise NotImplementedError

    def steps(self, order: Order, tier: Tier) -> int:
        """How often ``step_done`` will be called; a second stage counts too."""
        return order.steps

    def whole_steps(self, order: Order, tier: Tier) -> float:
        """What denoising costs, in steps at the whole size: for estimates."""
        return self.steps(order, tier)

    def load(self, checkpoint: Checkpoint, dtype: torch.dtype) -> Any:
        """The pipeline, on the CPU, from these files and nothing else."""
        import diffusers

        return diffusers.DiffusionPipeline.from_pretrained(
            str(checkpoint.folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=dtype,
        )

    def parts(self, pipe: Any) -> Parts:
        return Parts(
            encoders=(pipe.text_encoder,),
            denoisers=(pipe.transformer,),
            decoders=(pipe.vae.decoder,),
        )

    def block(self, run: Run, latents: torch.Tensor) -> torch.Tensor | None:
        """What the scheduler steps on as (channels, frames, rows, columns), for a preview; None
        where it cannot be told. Blocks and tokens of single cells are understood here."""
        if latents.ndim == _BLOCK_AXES:
            return latents[0]
        if latents.ndim != _TOKEN_AXES:
            return None
        spatial, frames = run.checkpoint.grid.spatial, run.latent_frames
        for part in (1, 2):  # a first stage works at half the size
            rows, columns = run.height // part // spatial, run.width // part // spatial
            own = frames * rows * columns
            if own <= latents.shape[1]:
                # The pipelines put tokens of pictures first.
                cells = latents[0, latents.shape[1] - own :]
                return cells.reshape(frames, rows, columns, -1).permute(3, 0, 1, 2)
        return None

    def denoise(self, run: Run) -> Latents:
        """All steps. ``run.ticker.step_done()`` after each (``run.stepwise()`` does it)."""
        raise NotImplementedError

    def decode(self, run: Run, latents: Latents) -> Iterator[torch.Tensor]:
        """Pieces of the clip in order, each of shape (3, frames, rows, columns), about -1 … 1, on
        the device. Small pieces keep memory small; one piece is allowed."""
        raise NotImplementedError

    def sound(self, run: Run, latents: Latents) -> Sound | None:
        """The sound track of these latents; None for a family without."""
        return None
