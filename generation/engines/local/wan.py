"""The Wan family, 2.1 and 2.2: words, a first picture, or a first and a last one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Checkpoint, Grid
from generation.engines.local.family import Family, Run
from generation.engines.local.watching import Parts
from generation.engines.order import Mode

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

_FROM_WORDS = "WanPipeline"
_FROM_PICTURES = "WanImageToVideoPipeline"


class Wan(Family):
    name: ClassVar[str] = "wan"
    pipelines: ClassVar[tuple[str, ...]] = (_FROM_WORDS, _FROM_PICTURES)
    optional: ClassVar[tuple[str, ...]] = ("transformer_2", "image_encoder")
    guidance: ClassVar[float] = 5.0

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        vae = json.loads((folder / "vae" / "config.json").read_bytes())
        transformer = json.loads((folder / "transformer" / "config.json").read_bytes())
        spatial = int(vae.get("scale_factor_spatial") or 8)
        temporal = int(vae.get("scale_factor_temporal") or 4)
        modes = _modes(index, transformer, int(vae["z_dim"]), temporal)
        if index.get("boundary_ratio") is not None and not _names(index, "transformer_2"):
            raise ValueError("a boundary between two transformers, and only one of them")
        return Grid(
            spatial=spatial,
            temporal=temporal,
            # The picture pipeline insists on 16, whatever the decoder needs.
            multiple=lcm(16, spatial * int(transformer["patch_size"][1])),
            modes=modes,
            most_conditions=2 if Mode.FIRST_LAST in modes else int(Mode.IMAGE in modes),
            takes_styles=True,
        )

    def load(self, checkpoint: Checkpoint, dtype: torch.dtype) -> Any:
        """The decoder and the picture encoder in full precision, as Wan's own authors run them."""
        import diffusers
        import torch

        whole = dict.fromkeys(("vae", "image_encoder"), torch.float32)
        return diffusers.DiffusionPipeline.from_pretrained(
            str(checkpoint.folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype={"default": dtype, **whole},
        )

    def parts(self, pipe: Any) -> Parts:
        """With the VAE's encoder: of ten seconds it encodes every frame, grey ones too."""
        seeing = getattr(pipe, "image_encoder", None)
        experts = (pipe.transformer, getattr(pipe, "transformer_2", None))
        return Parts(
            encoders=tuple(
                part for part in (pipe.text_encoder, seeing, pipe.vae.encoder) if part is not None
            ),
            denoisers=tuple(part for part in experts if part is not None),
            decoders=(pipe.vae.decoder,),
        )

    def denoise(self, run: Run) -> Latents:
        """``video``: (1, channels, latent frames, rows, columns), float32, still normalised."""
        try:
            latents = _pipeline(run)(
                prompt=run.order.prompt,
                negative_prompt=run.order.negative_prompt,
                width=run.width,
                height=run.height,
                num_frames=run.order.frames,
                num_inference_steps=run.order.steps,
                guidance_scale=run.guidance,
                generator=run.generator,
                output_type="latent",
                **run.stepwise(),
                **_pictures(run),
            ).frames
        finally:
            run.pipe.vae.clear_cache()  # what a stopped encoder has seen of somebody's picture
        return {"video": latents}

    def decode(self, run: Run, latents: Latents) -> Iterator[torch.Tensor]:
        """Denormalised as the pipelines do it, then one latent frame after another: the decoder
        looks back only, through its cache, so the pieces are bit for bit those of ``vae.decode``
        and a clip of any length needs the memory of four frames."""
        import torch

        vae = run.pipe.vae
        with torch.no_grad():
            video = latents["video"].to(run.pipe.device, dtype=vae.dtype)
            mean, deviation = (
                torch.tensor(values).view(1, vae.config.z_dim, 1, 1, 1).to(video.device, vae.dtype)
                for values in (vae.config.latents_mean, vae.config.latents_std)
            )
            video = video / (1.0 / deviation) + mean
        if vae.use_tiling:  # tiles are blended over the whole length
            with torch.no_grad():
                clip: torch.Tensor = vae.decode(video, return_dict=False)[0]
            yield clip[0]
            return
        yield from _decoded(vae, video)


def _decoded(vae: Any, video: torch.Tensor) -> Iterator[torch.Tensor]:
    """``AutoencoderKLWan._decode`` with its loop turned inside out."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    vae.clear_cache()
    try:
        with torch.no_grad():
            prepared = vae.post_quant_conv(video)
        for place in range(prepared.shape[2]):
            with torch.no_grad():
                vae._conv_idx = [0]  # noqa: SLF001 - diffusers offers no public way
                piece = vae.decoder(
                    prepared[:, :, place : place + 1],
                    feat_cache=vae._feat_map,  # noqa: SLF001
                    feat_idx=vae._conv_idx,  # noqa: SLF001
                    first_chunk=place == 0,
                )
                if vae.config.patch_size is not None:
                    piece = unpatchify(piece, patch_size=vae.config.patch_size)
                piece = torch.clamp(piece, min=-1.0, max=1.0)
            yield piece[0]
    finally:
        vae.clear_cache()


def _modes(
    index: dict[str, Any], transformer: dict[str, Any], channels: int, temporal: int
) -> tuple[Mode, ...]:
    """What a Wan was trained for shows in what its transformer takes in beside the noise."""
    taken = int(transformer["in_channels"])
    if taken == channels:
        return (Mode.TEXT, Mode.IMAGE) if index.get("expand_timesteps") else (Mode.TEXT,)
    if taken != 2 * channels + temporal:  # the picture's latents, and a mask of its frames
        raise ValueError(f"a transformer of {taken} channels over {channels} latent ones")
    if transformer.get("image_dim") is None:
        return (Mode.IMAGE, Mode.FIRST_LAST)
    if not _names(index, "image_encoder"):
        raise ValueError("a transformer that sees pictures, and no image_encoder")
    # 2.1 was trained either for one picture or for two, and takes no other number of them.
    return (Mode.FIRST_LAST,) if transformer.get("pos_embed_seq_len") else (Mode.IMAGE,)


def _names(index: dict[str, Any], component: str) -> bool:
    part = index.get(component)
    return isinstance(part, list) and bool(part) and part[0] is not None


def _pipeline(run: Run) -> Any:
    """The pipeline for this order over the very components that are loaded: 2.2's 5B makes clips
    from words and from pictures with the same weights."""
    import diffusers

    wanted = _FROM_PICTURES if run.pictures else _FROM_WORDS
    pipe = run.pipe
    if type(pipe).__name__ == wanted:
        return pipe
    shared = {
        name: part
        for name, part in pipe.components.items()
        if wanted == _FROM_PICTURES or name not in ("image_encoder", "image_processor")
    }
    made = getattr(diffusers, wanted)(
        **shared,
        boundary_ratio=pipe.config.boundary_ratio,
        expand_timesteps=pipe.config.expand_timesteps,
    )
    made.set_progress_bar_config(disable=True)
    made.encode_prompt = pipe.encode_prompt  # the same in both, and this one may remember
    made.encode_prompt = pipe.encode_prompt  # it remembers the last prompts
    return made


def _pictures(run: Run) -> dict[str, Any]:
    pictures = [picture for picture, _ in run.pictures]
    return dict(zip(("image", "last_image"), pictures, strict=False))
