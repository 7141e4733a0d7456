"""The LTX-Video family: how an order is said to its pipelines, and how its latents are decoded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Grid
from generation.engines.local.family import Family, Run
from generation.engines.order import Mode

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

_BLOCK_AXES = 5
_CONDITIONED = "LTXConditionPipeline"


class LTXVideo(Family):
    name: ClassVar[str] = "ltx-video"
    pipelines: ClassVar[tuple[str, ...]] = ("LTXPipeline", _CONDITIONED)

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        """As ``AutoencoderKLLTXVideo`` computes its compression."""
        vae = json.loads((folder / "vae" / "config.json").read_bytes())
        scalings = 2 ** sum(bool(scaled) for scaled in vae["spatio_temporal_scaling"])
        spatial = int(vae.get("spatial_compression_ratio") or vae["patch_size"] * scalings)
        temporal = int(vae.get("temporal_compression_ratio") or vae["patch_size_t"] * scalings)
        conditioned = index["_class_name"] == _CONDITIONED
        return Grid(
            spatial=spatial,
            temporal=temporal,
            # The pipelines themselves insist on 32, whatever the decoder needs.
            multiple=lcm(32, spatial),
            modes=tuple(Mode) if conditioned else (Mode.TEXT,),
            most_conditions=8 if conditioned else 0,
            takes_styles=True,
        )

    def denoise(self, run: Run) -> Latents:
        """``video``: (1, channels, latent frames, rows, columns), still normalised."""
        pipe, preset = run.pipe, run.checkpoint.preset
        latents = pipe(
            prompt=run.order.prompt,
            negative_prompt=run.order.negative_prompt,
            width=run.width,
            height=run.height,
            num_frames=run.order.frames,
            frame_rate=preset.coordinate_rate or float(run.order.rate),
            num_inference_steps=run.order.steps,
            guidance_scale=run.guidance,
            generator=run.generator,
            output_type="latent",
            **run.stepwise(),
            **_schedule(run),
            **_conditions(run),
        ).frames
        if latents.ndim == _BLOCK_AXES:
            return {"video": latents}
        # LTXPipeline hands its latents back as tokens, LTXConditionPipeline as a block.
        spatial = run.checkpoint.grid.spatial
        block = pipe._unpack_latents(  # noqa: SLF001 - diffusers offers no public way
            latents,
            run.latent_frames,
            run.height // spatial,
            run.width // spatial,
            pipe.transformer_spatial_patch_size,
            pipe.transformer_temporal_patch_size,
        )
        return {"video": block}

    def decode(self, run: Run, latents: Latents) -> Iterator[torch.Tensor]:
        """The same arithmetic as the pipelines' own last lines, so the same frames; apart from them
        because a clip must be stoppable, and resumable, between denoising and decoding."""
        import torch
        from diffusers.utils.torch_utils import randn_tensor

        vae, preset = run.pipe.vae, run.checkpoint.preset
        with torch.no_grad():
            video = run.pipe._denormalize_latents(  # noqa: SLF001 - as above
                latents["video"], vae.latents_mean, vae.latents_std, vae.config.scaling_factor
            ).to(vae.dtype)
            timestep = None
            if vae.config.timestep_conditioning:
                scale = preset.decode_noise_scale
                scale = preset.decode_timestep if scale is None else scale
                noise = randn_tensor(
                    video.shape, generator=run.generator, device=video.device, dtype=video.dtype
                )
                timestep = torch.tensor(
                    [preset.decode_timestep], device=video.device, dtype=video.dtype
                )
                video = (1 - scale) * video + scale * noise
            clip: torch.Tensor = vae.decode(video, timestep, return_dict=False)[0]
        yield clip[0]


def _schedule(run: Run) -> dict[str, Any]:
    """LTXPipeline spaces evenly by itself, LTXConditionPipeline only when told."""
    steps = run.order.steps
    if run.checkpoint.pipeline != _CONDITIONED or run.checkpoint.preset.schedule != "even":
        return {}
    return {"timesteps": [1000 * (steps - step) / steps for step in range(steps)]}


def _conditions(run: Run) -> dict[str, Any]:
    if not run.pictures:
        return {}
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    return {
        "conditions": [
            LTXVideoCondition(image=picture, frame_index=one.frame, strength=one.strength)
            for picture, one in run.pictures
        ]
    }
