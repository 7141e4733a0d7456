"""The LTX-Video family: how an order is said to its pipelines, and how its latents are decoded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Checkpoint, Grid, read_json, tensor_names
from generation.engines.local.family import Family, Run
from generation.engines.local.tiers import Tier
from generation.engines.local.watching import Parts
from generation.engines.order import Mode, Order

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

_BLOCK_AXES = 5
_CONDITIONED = "LTXConditionPipeline"
_UPSAMPLER = "upsampler"
# The noise that the refining steps of the second stage begin with, as its authors use it.
_REFINED_SHARE = 0.4


class LTXVideo(Family):
    name: ClassVar[str] = "ltx-video"
    pipelines: ClassVar[tuple[str, ...]] = ("LTXPipeline", _CONDITIONED)
    # Its authors' own programs write the second; the layers have the same names in both.
    style_prefixes: ClassVar[tuple[str, ...]] = ("transformer.", "diffusion_model.")

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        """As ``AutoencoderKLLTXVideo`` computes its compression."""
        vae = json.loads((folder / "vae" / "config.json").read_bytes())
        scalings = 2 ** sum(bool(scaled) for scaled in vae["spatio_temporal_scaling"])
        spatial = int(vae.get("spatial_compression_ratio") or vae["patch_size"] * scalings)
        temporal = int(vae.get("temporal_compression_ratio") or vae["patch_size_t"] * scalings)
        conditioned = index["_class_name"] == _CONDITIONED
        doubles = conditioned and _has_upsampler(folder)
        # The pipelines themselves insist on 32, whatever the decoder needs; on half of it too,
        # where the clip is made at half its size first.
        multiple = lcm(32, spatial) * (2 if doubles else 1)
        return Grid(
            spatial=spatial,
            temporal=temporal,
            multiple=multiple,
            modes=tuple(Mode) if conditioned else (Mode.TEXT,),
            most_conditions=8 if conditioned else 0,
            takes_strength=conditioned,
            takes_styles=True,
            has_upsampler=doubles,
        )

    def steps(self, order: Order, tier: Tier) -> int:
        return order.steps + (tier.refine_steps if tier.two_stage else 0)

    def whole_steps(self, order: Order, tier: Tier) -> float:
        """The first of two stages works on half the rows and half the columns."""
        return order.steps / 4 + tier.refine_steps if tier.two_stage else order.steps

    def load(self, checkpoint: Checkpoint, dtype: torch.dtype) -> Any:
        pipe = super().load(checkpoint, dtype)
        if checkpoint.grid.has_upsampler:
            pipe.upsampling = _upsampling(pipe, checkpoint.folder, dtype)
        return pipe

    def parts(self, pipe: Any) -> Parts:
        upsampling = getattr(pipe, "upsampling", None)
        doubling = () if upsampling is None else (upsampling.latent_upsampler,)
        return Parts(
            encoders=(pipe.text_encoder,),
            denoisers=(pipe.transformer, *doubling),
            decoders=(pipe.vae.decoder,),
        )

    def denoise(self, run: Run) -> Latents:
        """``video``: (1, channels, latent frames, rows, columns), still normalised."""
        if run.tier.two_stage:
            return {"video": _two_stages(run)}
        prompt = {"prompt": run.order.prompt, "negative_prompt": run.order.negative_prompt}
        pipe = run.pipe
        latents = _called(run, run.width, run.height, run.order.steps, **prompt)
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
        because a clip must be stoppable, and resumable, between denoising and decoding. In one
        piece: the decoder looks ahead in time, and its tiles of frames would show their seams."""
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


def _called(run: Run, width: int, height: int, steps: int, **further: Any) -> torch.Tensor:
    latents: torch.Tensor = run.pipe(
        width=width,
        height=height,
        num_frames=run.order.frames,
        frame_rate=run.checkpoint.preset.coordinate_rate or float(run.order.rate),
        num_inference_steps=steps,
        guidance_scale=run.guidance,
        generator=run.generator,
        output_type="latent",
        **run.stepwise(),
        **_schedule(run, steps),
        **_conditions(run),
        **further,
    ).frames
    return latents


def _two_stages(run: Run) -> torch.Tensor:
    """At half the size, its latents doubled, then refined: the second stage as documented with
    ``LTXConditionPipeline``. The words are read once for both."""
    refined = run.tier.refine_steps
    steps = -(-refined * 10 // round(_REFINED_SHARE * 10))
    words = _words(run)
    small = _called(run, run.width // 2, run.height // 2, run.order.steps, **words)
    upsampling = run.pipe.upsampling.to(run.pipe.device)
    doubled = upsampling(
        latents=small, width=run.width, height=run.height, output_type="latent"
    ).frames
    return _called(
        run,
        run.width,
        run.height,
        steps,
        latents=doubled,
        denoise_strength=(refined + 0.5) / steps,  # the pipeline rounds steps × strength down
        **words,
    )


def _words(run: Run) -> dict[str, Any]:
    import torch

    names = ("prompt_embeds", "prompt_attention_mask")
    with torch.no_grad():
        found = run.pipe.encode_prompt(
            prompt=run.order.prompt,
            negative_prompt=run.order.negative_prompt,
            do_classifier_free_guidance=run.guidance > 1,
            device=run.pipe.device,
        )
    return dict(zip((*names, *(f"negative_{name}" for name in names)), found, strict=True))


def _has_upsampler(folder: Path) -> bool:
    """Whether there is one that doubles both sides and leaves the frames alone."""
    if not (folder / _UPSAMPLER / "config.json").is_file():
        return False
    if not any((folder / _UPSAMPLER).glob("*.safetensors")):
        raise ValueError("the upsampler has no safetensors")
    config = read_json(folder / _UPSAMPLER / "config.json")
    if not config["spatial_upsample"] or config["temporal_upsample"]:
        raise ValueError("an upsampler of other than both sides")
    return True


def _upsampling(pipe: Any, folder: Path, dtype: torch.dtype) -> Any:
    from diffusers import LTXLatentUpsamplePipeline
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

    model = LTXLatentUpsamplerModel.from_pretrained(
        str(folder / _UPSAMPLER), local_files_only=True, use_safetensors=True, dtype=dtype
    )
    lacking = set(model.state_dict()) - tensor_names(folder, _UPSAMPLER)
    if lacking:  # filled with random numbers, and a line in the log
        raise ValueError(f"the upsampler lacks {sorted(lacking)[:3]}")
    return LTXLatentUpsamplePipeline(vae=pipe.vae, latent_upsampler=model)


def _schedule(run: Run, steps: int) -> dict[str, Any]:
    """LTXPipeline spaces evenly by itself, LTXConditionPipeline only when told."""
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
