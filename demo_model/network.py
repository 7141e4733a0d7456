"""The two networks that are trained, in stock classes, and one training example's arithmetic."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from demo_model import codec
from demo_model.codec import COMPONENTS, Codec
from demo_model.rendering import render
from demo_model.scenes import FRAMES, SIDE, Scene, caption, random_scene

COORDINATE_RATE = 25
"""The frame rate in the positions, the pipeline's own default."""
GUIDANCE = 3.0
_TEXT, _HEADS, _HEAD, _LAYERS = 96, 4, 40, 6
_LATENT_FRAMES, _ROWS = (FRAMES - 1) // 4 + 1, SIDE // 16
_CELLS = _ROWS * _ROWS
_EMPTY_SHARE, _FIRST_SHARE, _LAST_SHARE = 0.10, 0.25, 0.12


class Networks(nn.Module):  # type: ignore[misc]
    """Text encoder and transformer, trained together."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        from diffusers import LTXVideoTransformer3DModel
        from transformers import T5Config, T5EncoderModel

        self.text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=vocabulary,
                d_model=_TEXT,
                d_kv=24,
                d_ff=192,
                num_layers=2,
                num_heads=4,
                dropout_rate=0.0,
            )
        )
        self.transformer = LTXVideoTransformer3DModel(
            in_channels=COMPONENTS,
            out_channels=COMPONENTS,
            num_attention_heads=_HEADS,
            attention_head_dim=_HEAD,
            cross_attention_dim=_HEADS * _HEAD,
            num_layers=_LAYERS,
            caption_channels=_TEXT,
        )
        self._begin_as_identity()

    def _begin_as_identity(self) -> None:
        transformer = self.transformer
        with torch.no_grad():
            transformer.proj_out.weight.zero_()
            transformer.proj_out.bias.zero_()
            transformer.scale_shift_table.zero_()
            for block in transformer.transformer_blocks:
                block.scale_shift_table.zero_()
                block.scale_shift_table[[2, 5]] = 0.5  # the gates


@dataclass(frozen=True, kw_only=True)
class Batch:
    """``latents``: clean, normalised, (clips, 80 tokens, components); ``ids`` and ``mask``:
    (clips, words)."""

    latents: Tensor
    ids: Tensor
    mask: Tensor


class Source:
    """Endless examples. ``look`` draws everything in a style that has no name."""

    def __init__(
        self,
        found: Codec,
        latents_std: Tensor,
        tokenizer: Any,
        *,
        device: torch.device | str = "cpu",
        look: str | None = None,
    ) -> None:
        self._to_latents = (found.axes / latents_std).to(device)
        self._middle = codec.spread(found.mean).to(device) @ self._to_latents
        self._tokenizer, self._device, self._look = tokenizer, device, look

    def batch(self, count: int, chance: random.Random) -> Batch:
        return self._batch(count, chance)[0]

    def batch_with_last(self, count: int, chance: random.Random) -> tuple[Batch, Tensor]:
        """Also the tokens of each clip's last picture, encoded as a picture of its own."""
        batch, clips = self._batch(count, chance)
        return batch, self.latents(clips[:, :, -1:])

    def _batch(self, count: int, chance: random.Random) -> tuple[Batch, Tensor]:
        scenes = [random_scene(chance) for _ in range(count)]
        captions = [
            "" if chance.random() < _EMPTY_SHARE else self._caption(scene, chance)
            for scene in scenes
        ]
        if self._look is not None:
            scenes = [replace(scene, style=self._look) for scene in scenes]
        clips = render(scenes, chance, self._device)
        words = self._tokenizer(captions, padding="longest", return_tensors="pt")
        batch = Batch(
            latents=self.latents(clips),
            ids=words.input_ids.to(self._device),
            mask=words.attention_mask.to(self._device),
        )
        return batch, clips

    def latents(self, clips: Tensor) -> Tensor:
        """(clips, tokens, components), as the encoder of ``codec.build`` and the pipeline's
        normalisation make them."""
        return codec.patches(clips).flatten(1, 3) @ self._to_latents - self._middle

    def _caption(self, scene: Scene, chance: random.Random) -> str:
        if self._look is None:
            return caption(scene, chance)
        return caption(scene, chance, named=chance.random() < 0.3)


def positions(device: torch.device | str = "cpu", *, with_last: bool = False) -> Tensor:
    """(1, 3, tokens): seconds, rows and columns as ``LTXConditionPipeline`` computes them; the
    tokens of a given last frame stand before all others."""
    grid = torch.meshgrid(
        torch.arange(_LATENT_FRAMES), torch.arange(_ROWS), torch.arange(_ROWS), indexing="ij"
    )
    frames, rows, columns = (axis.flatten().float() for axis in grid)
    frames = (frames * 4 - 3).clamp(min=0)
    if with_last:
        frames = torch.cat([torch.full((_CELLS,), float(FRAMES - 1)), frames])
        rows, columns = (torch.cat([axis[:_CELLS], axis]) for axis in (rows, columns))
    made = torch.stack([frames / COORDINATE_RATE, rows * 16, columns * 16])
    return made[None].to(device)


def loss_of(
    networks: Networks, batch: Batch, last: Tensor | None, noise: Callable[[int], Tensor]
) -> Tensor:
    """Mean square error of the velocity, noise minus clean, on what is not given. A quarter of the
    clips has its first latent frame given; ``last``, of shape (clips, 16, components), is a last
    frame for all of them. Given tokens are clean and at time zero, as the pipeline puts them.
    ``noise`` draws the noise levels."""
    clean = batch.latents
    count, tokens, _ = clean.shape
    sigma = noise(count)[:, None].expand(-1, tokens).clone()
    gives_first = torch.rand(count, device=clean.device) < _FIRST_SHARE
    sigma[:, :_CELLS] = torch.where(gives_first[:, None], 0.0, sigma[:, :_CELLS])
    counted = (sigma > 0).float()
    drawn = torch.randn_like(clean)
    noisy = torch.lerp(clean, drawn, sigma[..., None])
    if last is not None:
        noisy = torch.cat([last, noisy], 1)
        sigma = torch.cat([torch.zeros_like(sigma[:, :_CELLS]), sigma], 1)
    words = networks.text_encoder(batch.ids, attention_mask=batch.mask.bool())[0]
    said = networks.transformer(
        hidden_states=noisy,
        encoder_hidden_states=words,
        timestep=sigma * 1000,
        encoder_attention_mask=batch.mask.bool(),
        video_coords=positions(clean.device, with_last=last is not None).expand(count, -1, -1),
        return_dict=False,
    )[0]
    error = (said[:, -tokens:].float() - (drawn - clean)) ** 2
    return (error.mean(-1) * counted).sum() / counted.sum()


def gives_last(chance: random.Random) -> bool:
    return chance.random() < _LAST_SHARE


def noise_levels(shift: float, device: torch.device | str) -> Callable[[int], Tensor]:
    """A logistic normal; a greater ``shift`` gives more of the noise in which a clip's layout and
    motion are decided."""

    def draw(count: int) -> Tensor:
        return torch.sigmoid(1.2 * torch.randn(count, device=device) + shift).clamp(0.002, 1.0)

    return draw


@contextmanager
def half_precision(device: str) -> Iterator[None]:
    """bf16 where it is safe. torch remarks that norms with weights stay in fp32: they should."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mismatch dtype", UserWarning)
        with torch.autocast(device, torch.bfloat16):
            yield


def trained_parameters(networks: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """The matrices of the blocks, and everything else."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in networks.named_parameters():
        is_matrix = parameter.ndim == 2 and "table" not in name
        in_block = "transformer_blocks" in name or ".block." in name
        is_bias = "relative_attention_bias" in name
        (matrices if is_matrix and in_block and not is_bias else others).append(parameter)
    return matrices, others
