"""The LTX-2 family: pictures and their sound in one go, from words and keyframes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Grid
from generation.engines.local.family import Family, Run
from generation.engines.local.watching import Parts
from generation.engines.order import Mode
from generation.engines.protocol import EngineFailure, FailureCode, Sound

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

_FROM_WORDS = "LTX2Pipeline"
_FROM_A_PICTURE = "LTX2ImageToVideoPipeline"
_CONDITIONED = "LTX2ConditionPipeline"
_MODES = {
    _FROM_WORDS: (Mode.TEXT,),
    _FROM_A_PICTURE: (Mode.IMAGE,),
    _CONDITIONED: tuple(Mode),
}
_STOCK_PERTURBED_BLOCK = 28
_BLOCK_AXES = 5


class LTX2(Family):
    name: ClassVar[str] = "ltx-2"
    pipelines: ClassVar[tuple[str, ...]] = tuple(_MODES)
    libraries: ClassVar[tuple[str, ...]] = ("ltx2",)  # diffusers' own name for where these live
    weighted: ClassVar[tuple[str, ...]] = (
        "transformer",
        "vae",
        "audio_vae",
        "vocoder",
        "connectors",
        "text_encoder",
    )

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        """As ``AutoencoderKLLTX2Video`` computes its compression."""
        vae = json.loads((folder / "vae" / "config.json").read_bytes())
        scalings = 2 ** sum(bool(scaled) for scaled in vae["spatio_temporal_scaling"])
        spatial = int(vae.get("spatial_compression_ratio") or vae["patch_size"] * scalings)
        temporal = int(vae.get("temporal_compression_ratio") or vae["patch_size_t"] * scalings)
        modes = _MODES[index["_class_name"]]
        return Grid(
            spatial=spatial,
            temporal=temporal,
            multiple=lcm(32, spatial),  # the pipelines themselves insist on 32
            modes=modes,
            most_conditions=8 if Mode.KEYFRAMES in modes else int(Mode.IMAGE in modes),
            takes_strength=Mode.KEYFRAMES in modes,  # the pipeline for one picture knows none
            takes_styles=True,
            has_sound=True,
        )

    def parts(self, pipe: Any) -> Parts:
        return Parts(
            encoders=(pipe.text_encoder, pipe.connectors, pipe.vae.encoder),
            denoisers=(pipe.transformer,),
            decoders=(pipe.vae.decoder, pipe.audio_vae.decoder, pipe.vocoder),
        )

    def block(self, run: Run, latents: torch.Tensor) -> torch.Tensor | None:
        """The pipeline for one picture steps on a block, without the first frame."""
        return super().block(
            run, latents if latents.ndim == _BLOCK_AXES else _unpacked(run, latents)
        )

    def denoise(self, run: Run) -> Latents:
        """``video``: (1, channels, latent frames, rows, columns), still normalised; ``audio``:
        (1, channels, length, mel bins), as its decoder takes it.

        Asked for latents, the pipelines denormalise the video's in full precision, but decode them
        from the text encoder's: the last step's are taken instead, before anything was done to
        them.
        """
        tokens: list[torch.Tensor] = []

        def keep(latents: torch.Tensor) -> None:
            tokens[:] = [latents]

        sound = run.pipe(
            prompt=run.order.prompt,
            negative_prompt=run.order.negative_prompt,
            width=run.width,
            height=run.height,
            num_frames=run.order.frames,
            frame_rate=run.checkpoint.preset.coordinate_rate or float(run.order.rate),
            num_inference_steps=run.order.steps,
            generator=run.generator,
            output_type="latent",
            **_guidance(run),
            **run.stepwise(keep),
            **_conditions(run),
        ).audio
        return {"video": _unpacked(run, tokens[0]), "audio": sound}

    def sound(self, run: Run, latents: Latents) -> Sound | None:
        """Cut to the length of the clip: the last piece of a spectrogram may reach beyond it."""
        import torch

        pipe = run.pipe
        with torch.no_grad():
            spectrogram = pipe.audio_vae.decode(
                latents["audio"].to(pipe.audio_vae.dtype), return_dict=False
            )[0]
            wave = pipe.vocoder(spectrogram)[0].float()
        if not bool(wave.isfinite().all()):
            raise EngineFailure(FailureCode.BLACK_CLIP, "not a number in the sound")
        rate = int(pipe.vocoder.config.output_sampling_rate)
        samples = round(run.order.frames / run.order.rate * rate)
        return Sound(samples=wave[:, :samples].clamp(-1, 1).cpu().numpy(), rate=rate)

    def decode(self, run: Run, latents: Latents) -> Iterator[torch.Tensor]:
        """The same arithmetic as the pipelines' own last lines, so the same frames. In one piece:
        the decoder may look ahead in time, and keeps no cache to go on from."""
        import torch
        from diffusers.utils.torch_utils import randn_tensor

        pipe, vae, preset = run.pipe, run.pipe.vae, run.checkpoint.preset
        with torch.no_grad():
            video = latents["video"].to(pipe.text_encoder.dtype)
            timestep = None
            if vae.config.timestep_conditioning:
                scale = preset.decode_noise_scale
                scale = preset.decode_timestep if scale is None else scale
                noise = randn_tensor(
                    video.shape, generator=run.generator, device=video.device, dtype=video.dtype
                )
                timestep, scales = (
                    torch.tensor([value], device=video.device, dtype=video.dtype)
                    for value in (preset.decode_timestep, scale)
                )
                scales = scales[:, None, None, None, None]
                video = (1 - scales) * video + scales * noise
            video = pipe._denormalize_latents(  # noqa: SLF001 - as above
                video, vae.latents_mean, vae.latents_std, vae.config.scaling_factor
            ).to(vae.dtype)
            clip: torch.Tensor = vae.decode(video, timestep, return_dict=False)[0]
        yield clip[0]


def _unpacked(run: Run, tokens: torch.Tensor) -> torch.Tensor:
    """(1, channels, latent frames, rows, columns). Keyframes ride behind the clip's own tokens."""
    pipe, spatial = run.pipe, run.checkpoint.grid.spatial
    rows, columns = run.height // spatial, run.width // spatial
    patch, patch_t = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
    own = run.latent_frames * rows * columns // (patch_t * patch**2)
    block: torch.Tensor = pipe._unpack_latents(  # noqa: SLF001 - diffusers offers no public way
        tokens[:, :own], run.latent_frames, rows, columns, patch, patch_t
    )
    return block


def _guidance(run: Run) -> dict[str, Any]:
    """The pipelines steer by four means at once, each another pass a step. A guidance of one is
    what a distilled checkpoint was made for, and turns all of them off."""
    if run.guidance <= 1:
        plain: dict[str, Any] = {"guidance_scale": 1.0, "stg_scale": 0.0, "modality_scale": 1.0}
        heard = {f"audio_{name}": value for name, value in plain.items()}
        return {**plain, **heard, "guidance_rescale": 0.0, "audio_guidance_rescale": 0.0}
    if run.pipe.transformer.config.num_layers > _STOCK_PERTURBED_BLOCK:
        return {"guidance_scale": run.guidance}
    # A smaller model has no such block to perturb.
    return {"guidance_scale": run.guidance, "stg_scale": 0.0, "audio_stg_scale": 0.0}


def _conditions(run: Run) -> dict[str, Any]:
    if not run.pictures:
        return {}
    if run.checkpoint.pipeline == _FROM_A_PICTURE:
        return {"image": run.pictures[0][0]}
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    temporal = run.checkpoint.grid.temporal
    return {
        "conditions": [
            LTX2VideoCondition(
                frames=picture, index=_index(one.frame, temporal), strength=one.strength
            )
            for picture, one in run.pictures
        ]
    }


def _index(frame: int, temporal: int) -> float:
    """The pipeline counts in latent frames, and places the picture at frame (index - 1) × temporal
    + 1. A fraction of an index reaches the frames between, exactly: temporal is a power of two."""
    return 0 if frame == 0 else 1 + (frame - 1) / temporal
