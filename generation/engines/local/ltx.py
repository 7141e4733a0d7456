"""The LTX-Video family: how an order is said to its pipelines, and how its latents are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generation.engines.local.checkpoint import Checkpoint
from generation.engines.local.watching import Ticker
from generation.engines.order import Order

_BLOCK_AXES = 5

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline


def denoised(
    pipe: DiffusionPipeline,
    checkpoint: Checkpoint,
    order: Order,
    generator: torch.Generator,
    ticker: Ticker,
) -> torch.Tensor:
    """Latents, shape (1, channels, latent frames, rows, columns), still normalised."""
    preset = checkpoint.preset
    width, height = checkpoint.capabilities().sizes.generated(order.width, order.height)

    def after_step(*_: Any) -> dict[str, Any]:
        ticker.step_done()
        return {}

    latents = pipe(
        prompt=order.prompt,
        negative_prompt="",
        width=width,
        height=height,
        num_frames=order.frames,
        frame_rate=preset.coordinate_rate or float(order.rate),
        num_inference_steps=order.steps,
        guidance_scale=preset.guidance if order.guidance is None else order.guidance,
        generator=generator,
        output_type="latent",
        callback_on_step_end=after_step,
        callback_on_step_end_tensor_inputs=[],
        **_schedule(checkpoint, order.steps),
    ).frames
    if latents.ndim == _BLOCK_AXES:
        return latents
    # LTXPipeline hands its latents back as tokens, LTXConditionPipeline as a block.
    return pipe._unpack_latents(  # noqa: SLF001 - diffusers offers no public way
        latents,
        (order.frames - 1) // checkpoint.temporal + 1,
        height // checkpoint.spatial,
        width // checkpoint.spatial,
        pipe.transformer_spatial_patch_size,
        pipe.transformer_temporal_patch_size,
    )


def decoded(
    pipe: DiffusionPipeline,
    checkpoint: Checkpoint,
    latents: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """The clip on the device, shape (1, 3, frames, rows, columns), about -1 … 1.

    The same arithmetic as the pipelines' own last lines, so the same frames; apart from them
    because a clip must be stoppable, and later resumable, between denoising and decoding.
    """
    import torch
    from diffusers.utils.torch_utils import randn_tensor

    vae = pipe.vae
    with torch.no_grad():
        latents = pipe._denormalize_latents(  # noqa: SLF001 - as above
            latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(vae.dtype)
        timestep = None
        if vae.config.timestep_conditioning:
            preset = checkpoint.preset
            scale = preset.decode_noise_scale
            scale = preset.decode_timestep if scale is None else scale
            noise = randn_tensor(
                latents.shape, generator=generator, device=latents.device, dtype=latents.dtype
            )
            timestep = torch.tensor(
                [preset.decode_timestep], device=latents.device, dtype=latents.dtype
            )
            latents = (1 - scale) * latents + scale * noise
        clip: torch.Tensor = vae.decode(latents, timestep, return_dict=False)[0]
    return clip


def _schedule(checkpoint: Checkpoint, steps: int) -> dict[str, Any]:
    """LTXPipeline spaces evenly by itself, LTXConditionPipeline only when told."""
    if checkpoint.pipeline != "LTXConditionPipeline" or checkpoint.preset.schedule != "even":
        return {}
    return {"timesteps": [1000 * (steps - step) / steps for step in range(steps)]}
