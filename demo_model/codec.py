"""The video autoencoder, computed and not trained: principal components in stock weights.

A latent stands for 16 × 16 pixels × 4 frames. Encoding is a projection on the components of drawn
clips; decoding is the best linear guess from a latent and the eight around it, which is what keeps
the patches from showing at their seams. It looks at no other time: a picture that is given for the
first frame then comes back as the picture alone would. Both are exactly what
``AutoencoderKLLTXVideo`` computes when its convolutions hold these numbers and its one nonlinearity
is walked around:

- every value is carried twice, as +x and −x, since SiLU(x) − SiLU(−x) = x;
- one channel is constant and far larger than all others, so that the RMS norm divides by a
  constant.
"""

from __future__ import annotations

import copy
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from demo_model.rendering import render
from demo_model.scenes import LOOKS, random_scene

if TYPE_CHECKING:
    from diffusers import AutoencoderKLLTXVideo

COMPONENTS = 80
_PATCH, _CELL = 4, 16
_PIXELS = 3 * _PATCH * _PATCH
_WIDE, _NARROW, _ENCODER = 160, 80, 168
_PAIRS = (_NARROW - 2) // 2
_CONSTANT = 1000.0
# Leading components keep more of their energy than whitening would leave them.
_WHITENING = 0.6
_RIDGE = 1e-3
# How far off a generated latent is expected to be, in units of the latents' own mean square: it is
# then smoothed by those around it.
_DOUBT = 0.2


@dataclass(frozen=True, kw_only=True)
class Codec:
    """``axes``: (3072, components), orthonormal. ``std``: of each component. ``reading``: what a
    latent's neighbourhood says about its patch, (9 × components, 160); ``patch``: (160, 3072)."""

    mean: Tensor
    axes: Tensor
    std: Tensor
    reading: Tensor
    patch: Tensor


def clips_of_all_styles(count: int, seed: int) -> Tensor:
    """The looks too: what no latent can say, no LoRA can show."""
    from dataclasses import replace

    chance = random.Random(seed)  # noqa: S311 - scenes, no secrets
    scenes = [random_scene(chance) for _ in range(count)]
    scenes[::8] = [replace(scene, style=chance.choice(LOOKS)) for scene in scenes[::8]]
    return render(scenes, chance)


def patches(clips: Tensor) -> Tensor:
    """(clips, 3, 17, 64, 64) to (clips, latent frames, rows, columns, 3072), the first frame four
    times. Within a patch: eight blocks of 2 × 2 × 2 blocks of 48 numbers, each block as the stock
    encoder folds 4 × 4 pixels into channels (colour, column, row)."""
    count, _, _, height, width = clips.shape
    whole = torch.cat([clips[:, :, :1].expand(-1, -1, 3, -1, -1), clips], 2)
    rows, columns = height // _CELL, width // _CELL
    # (clips, colour, T, t1, t0, Y, y1, y0, row, X, x1, x0, column)
    split = whole.reshape(count, 3, -1, 2, 2, rows, 2, 2, _PATCH, columns, 2, 2, _PATCH)
    ordered = split.permute(0, 2, 5, 9, 3, 6, 10, 4, 7, 11, 1, 12, 8)
    return ordered.flatten(4)


def latents_std(std: Tensor) -> Tensor:
    """What the pipeline divides latents by; their mean square is then one."""
    scale = std**_WHITENING
    return scale * ((std / scale) ** 2).mean().sqrt()


def _component_std(scale: Tensor) -> Tensor:
    """The inverse of ``latents_std``."""
    powered = scale ** (1 / _WHITENING)
    mean: Tensor = (powered ** (2 - 2 * _WHITENING)).mean() ** (_WHITENING / 2)
    return powered / mean ** (1 / _WHITENING)


def unpatched(cells: Tensor) -> Tensor:
    """The inverse of ``patches``, without the first frame's three copies."""
    count, frames, rows, columns, _ = cells.shape
    split = cells.reshape(count, frames, rows, columns, 2, 2, 2, 2, 2, 2, 3, _PATCH, _PATCH)
    # (clips, T, Y, X, t1, y1, x1, t0, y0, x0, colour, column, row)
    ordered = split.permute(0, 10, 1, 4, 7, 2, 5, 8, 12, 3, 6, 9, 11)
    return ordered.reshape(count, 3, frames * 4, rows * _CELL, columns * _CELL)[:, :, 3:]


def fit(count: int = 320, seed: int = 1) -> Codec:
    clips = clips_of_all_styles(count, seed)
    cells = patches(clips)
    mean = clips.mean((0, 2, 3, 4))
    flat = cells.flatten(0, 3) - spread(mean)
    energy, axes = torch.linalg.eigh(flat.T @ flat / len(flat))
    axes = axes[:, -COMPONENTS:].flip(1)
    std = energy[-COMPONENTS:].flip(0).clamp(min=0).sqrt()
    latents = (flat @ axes).unflatten(0, cells.shape[:4])
    about = neighbourhoods(latents / std).flatten(0, 3)
    gram = about.T @ about
    doubt = _RIDGE + (_DOUBT * latents_std(std) / std) ** 2
    gram += len(about) * torch.diag(doubt.repeat(9))
    guess = torch.linalg.solve(gram, about.T @ flat)
    # Of all that the neighbourhood says, the part that fits through the decoder's first layer.
    said = about @ guess
    _, main = torch.linalg.eigh(said.T @ said)
    main = main[:, -_WIDE:]
    scaled = (guess @ main).unflatten(0, (-1, COMPONENTS)) / std[None, :, None]
    return Codec(mean=mean, axes=axes, std=std, reading=scaled.flatten(0, 1), patch=main.T)


def neighbourhoods(latents: Tensor) -> Tensor:
    """(clips, frames, rows, columns, components) to (…, 9 × components): zeros beside the picture,
    as the stock convolution pads."""
    padded = torch.nn.functional.pad(latents, (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1)
    return windows.permute(0, 1, 2, 3, 5, 6, 4).flatten(4)


def build(codec: Codec) -> AutoencoderKLLTXVideo:
    from diffusers import AutoencoderKLLTXVideo

    vae = AutoencoderKLLTXVideo(
        latent_channels=COMPONENTS,
        block_out_channels=(_ENCODER, _ENCODER),
        decoder_block_out_channels=(_NARROW, _WIDE),
        down_block_types=("LTXVideoDownBlock3D",) * 2,
        layers_per_block=(0, 0, 0),
        decoder_layers_per_block=(0, 0, 0),
        spatio_temporal_scaling=(True, True),
        decoder_spatio_temporal_scaling=(True, True),
        decoder_inject_noise=(False,) * 3,
        downsample_type=("conv",) * 2,
        upsample_residual=(False,) * 2,
        upsample_factor=(1, 2),
        patch_size=_PATCH,
    )
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.zero_()
        _write_encoder(vae.encoder, codec)
        _write_decoder(vae.decoder, codec)
        vae.latents_mean.zero_()
        vae.latents_std.copy_(latents_std(codec.std))
    return vae.eval()


def _write_encoder(encoder: Any, codec: Codec) -> None:
    """Blocks of 4 pixels, then of 8, then of 16: each layer takes eight of the one before."""
    axes = codec.axes.unflatten(0, (8, 8 * _PIXELS))
    middle = _common_axes(axes, _ENCODER)
    identity = torch.eye(_PIXELS)
    encoder.conv_in.conv.weight[:_PIXELS, :, 2, 1, 1] = identity
    encoder.conv_in.conv.bias[:_PIXELS] = -spread(codec.mean)[:_PIXELS]
    first, second = (block.downsamplers[0].conv for block in encoder.down_blocks)
    small = middle.unflatten(0, (8, _PIXELS))
    for block, (time, row, column) in enumerate(_eighths()):
        # Taps 1 and 2 of three: a stride of two then never reads a number twice.
        tap = (time + 1, row + 1, column + 1)
        first.weight[:, :_PIXELS, *tap] = small[block].T
        share = axes[block].T @ middle
        second.weight[:COMPONENTS, :, *tap] = share
        second.weight[COMPONENTS : 2 * COMPONENTS, :, *tap] = -share
    second.bias[-1] = _CONSTANT
    back = _CONSTANT / math.sqrt(_ENCODER)
    out = encoder.conv_out.conv
    out.weight[:COMPONENTS, :COMPONENTS, 2, 1, 1] = back * torch.eye(COMPONENTS)
    out.weight[:COMPONENTS, COMPONENTS : 2 * COMPONENTS, 2, 1, 1] = -back * torch.eye(COMPONENTS)
    out.bias[COMPONENTS] = -30.0  # the logarithm of the variance: no noise on what is encoded


def _write_decoder(decoder: Any, codec: Codec) -> None:
    reading = codec.reading.reshape(3, 3, COMPONENTS, _WIDE)
    decoder.conv_in.conv.weight[:, :, 1] = reading.permute(3, 2, 0, 1)
    parts = codec.patch.T.unflatten(0, (8, 8 * _PIXELS))
    middle = _common_axes(parts, _NARROW)
    small = middle.unflatten(0, (8, _PIXELS))
    fine = _common_axes(small, _PAIRS)
    first, second = (block.upsamplers[0].conv.conv for block in decoder.up_blocks)
    channels = torch.arange(_NARROW) * 8
    pairs = channels[:_PAIRS]
    for block in range(8):
        first.weight[channels + block, :, 1, 1, 1] = middle.T @ parts[block]
        share = fine.T @ small[block]
        second.weight[pairs + block, :, 1, 1, 1] = share
        second.weight[pairs + 8 * _PAIRS + block, :, 1, 1, 1] = -share
        second.bias[8 * (_NARROW - 1) + block] = _CONSTANT
    back = _CONSTANT / math.sqrt(_NARROW) * fine
    out = decoder.conv_out.conv
    out.weight[:, :_PAIRS, 1, 1, 1] = back
    out.weight[:, _PAIRS : 2 * _PAIRS, 1, 1, 1] = -back
    out.bias.copy_(spread(codec.mean)[:_PIXELS])


def read(vae: AutoencoderKLLTXVideo) -> Codec:
    """The numbers that ``build`` wrote, taken out of a loaded model again."""
    with torch.no_grad():
        vae = copy.deepcopy(vae).float()  # whoever gave it goes on with the numbers it had
        first, second = (block.downsamplers[0].conv for block in vae.encoder.down_blocks)
        axes = torch.empty(8, 8, _PIXELS, COMPONENTS)
        for outer, one in enumerate(_eighths()):
            for inner, two in enumerate(_eighths()):
                middle = second.weight[:COMPONENTS, :, *(place + 1 for place in one)]
                small = first.weight[:, :_PIXELS, *(place + 1 for place in two)]
                axes[outer, inner] = (middle @ small).T
        decoder = vae.decoder
        large, little = (block.upsamplers[0].conv.conv for block in decoder.up_blocks)
        fine = decoder.conv_out.conv.weight[:, :_PAIRS, 1, 1, 1] * math.sqrt(_NARROW) / _CONSTANT
        channels = torch.arange(_NARROW) * 8
        patch = torch.empty(8, 8, _PIXELS, _WIDE)
        for outer in range(8):
            for inner in range(8):
                share = little.weight[channels[:_PAIRS] + inner, :, 1, 1, 1]
                patch[outer, inner] = fine @ share @ large.weight[channels + outer, :, 1, 1, 1]
        mean = decoder.conv_out.conv.bias.unflatten(0, (3, -1)).mean(1)
        return Codec(
            mean=mean.clone(),
            axes=axes.flatten(0, 2),
            std=_component_std(vae.latents_std),
            reading=decoder.conv_in.conv.weight[:, :, 1].permute(2, 3, 1, 0).flatten(0, 2),
            patch=patch.flatten(0, 2).T,
        )


def _common_axes(parts: Tensor, count: int) -> Tensor:
    """The ``count`` directions in which eight matrices of equal height have most of their
    energy."""
    joined = parts.permute(1, 0, 2).flatten(1)
    _, found = torch.linalg.eigh(joined @ joined.T)
    return found[:, -count:]


def _eighths() -> list[tuple[int, int, int]]:
    return [(time, row, column) for time in (0, 1) for row in (0, 1) for column in (0, 1)]


def spread(mean: Tensor) -> Tensor:
    """A colour as the 3072 numbers of a patch that is nothing else."""
    return mean.repeat_interleave(_PATCH * _PATCH).repeat(64)


def psnr(one: Tensor, other: Tensor) -> float:
    """Decibels, for values of -1 … 1."""
    error = ((one - other) ** 2).mean().item()
    return 100.0 if error == 0 else min(100.0, 10 * math.log10(4 / error))
