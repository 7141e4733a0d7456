"""The CogVideoX family: from words, or from words and a first picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from generation.engines.local.checkpoint import Grid
from generation.engines.local.family import Family, Run
from generation.engines.local.watching import Parts
from generation.engines.order import Mode, OrderRefused

if TYPE_CHECKING:
    import torch

    from generation.engines.local.family import Latents

_FROM_WORDS = "CogVideoXPipeline"
_FROM_PICTURES = "CogVideoXImageToVideoPipeline"


class CogVideoX(Family):
    name: ClassVar[str] = "cogvideox"
    pipelines: ClassVar[tuple[str, ...]] = (_FROM_WORDS, _FROM_PICTURES)
    guidance: ClassVar[float] = 6.0

    def grid(self, folder: Path, index: dict[str, Any]) -> Grid:
        vae = json.loads((folder / "vae" / "config.json").read_bytes())
        transformer = json.loads((folder / "transformer" / "config.json").read_bytes())
        pictured = index["_class_name"] == _FROM_PICTURES
        taken, channels = int(transformer["in_channels"]), int(vae["latent_channels"])
        if taken != channels * (2 if pictured else 1):
            raise ValueError(f"{index['_class_name']} with a transformer of {taken} channels")
        spatial = 2 ** (len(vae["block_out_channels"]) - 1)
        return Grid(
            spatial=spatial,
            temporal=int(vae["temporal_compression_ratio"]),
            multiple=spatial * int(transformer["patch_size"]),
            modes=(Mode.IMAGE,) if pictured else (Mode.TEXT,),
            most_conditions=int(pictured),
            takes_styles=True,
        )

    def parts(self, pipe: Any) -> Parts:
        """Each block by hand: this transformer does not name its repeated ones."""
        return Parts(
            encoders=(pipe.text_encoder, pipe.vae.encoder),
            denoisers=(pipe.transformer, *pipe.transformer.transformer_blocks),
            decoders=(pipe.vae.decoder,),
        )

    def block(self, run: Run, latents: torch.Tensor) -> torch.Tensor | None:
        return latents[0].permute(1, 0, 2, 3)

    def denoise(self, run: Run) -> Latents:
        """``video``: (1, latent frames, channels, rows, columns), as the pipelines hold it."""
        _check_size(run)
        latents = run.pipe(
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
            **({"image": run.pictures[0][0]} if run.pictures else {}),
        ).frames
        # 1.5 pads the beginning until two latent frames make a patch.
        return {"video": latents[:, latents.shape[1] - run.latent_frames :]}

    def decode(self, run: Run, latents: Latents) -> Iterator[torch.Tensor]:
        """Two latent frames at a time through the causal decoder's cache, as ``vae.decode`` does,
        so each piece is bit for bit its own and a long clip needs the memory of eight frames."""
        import torch

        vae = run.pipe.vae
        with torch.no_grad():
            video = latents["video"].permute(0, 2, 1, 3, 4)
            video = 1 / run.pipe.vae_scaling_factor_image * video
        if vae.use_tiling:  # tiles are blended over the whole length
            with torch.no_grad():
                clip: torch.Tensor = vae.decode(video).sample
            yield clip[0]
            return
        cache = None
        for start, end in _batches(video.shape[2], vae.num_latent_frames_batch_size):
            with torch.no_grad():
                piece = video[:, :, start:end]
                if vae.post_quant_conv is not None:
                    piece = vae.post_quant_conv(piece)
                piece, cache = vae.decoder(piece, conv_cache=cache)
            yield piece[0]


def _batches(frames: int, size: int) -> Iterator[tuple[int, int]]:
    """As ``AutoencoderKLCogVideoX._decode`` cuts: what is left over goes with the first."""
    left = frames % size
    for number in range(max(frames // size, 1)):
        yield size * number + (left if number else 0), size * (number + 1) + left


def _check_size(run: Run) -> None:
    """5B-I2V learned one position for each place of its one size, and knows no other."""
    config, spatial = run.pipe.transformer.config, run.checkpoint.grid.spatial
    if not config.use_learned_positional_embeddings:
        return
    for field, asked, only in (
        ("width", run.width, config.sample_width * spatial),
        ("height", run.height, config.sample_height * spatial),
    ):
        if asked != only:
            raise OrderRefused("size_out_of_range", field, asked=asked, minimum=only, maximum=only)
