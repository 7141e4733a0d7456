"""What a clip looks like so far: its latents by a linear map to colours, at no cost to the clip.

A decoder would take seconds a picture. A map fitted to what the VAE's own encoder makes of flat
colours takes a matrix product, needs no table for each family, and shows what one wants to know:
composition, light and whether to go on.
"""

from __future__ import annotations

import logging
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from generation.engines.protocol import Frame

if TYPE_CHECKING:
    import torch

log = logging.getLogger("greenroom.engines")

_LEVELS = (-0.9, 0.0, 0.9)
_SIDE_CELLS = 4
_PICTURE_AXES = 4


class Previews:
    """Of one loaded VAE. The map is fitted when the first picture is wanted, and kept."""

    def __init__(self, vae: Any, *, spatial: int) -> None:
        self._vae = vae
        self._side = spatial * _SIDE_CELLS
        self._colours: npt.NDArray[np.float64] | None = None
        self._is_fitted = False

    def picture(self, block: torch.Tensor) -> Frame | None:
        """The middle of a block (channels, frames, rows, columns) of normalised latents, a cell a
        pixel; None where the family has no encoder to fit the map with."""
        colours = self._map()
        if colours is None or block.ndim != _PICTURE_AXES or len(block) + 1 != len(colours):
            return None
        middle = block[:, block.shape[1] // 2].detach().double().cpu().numpy()
        channels, rows, columns = middle.shape
        cells = np.column_stack([middle.reshape(channels, -1).T, np.ones(rows * columns)])
        levels = np.nan_to_num(cells @ colours).reshape(rows, columns, 3)
        return np.ascontiguousarray((levels.clip(0, 1) * 255).round().astype(np.uint8))

    def _map(self) -> npt.NDArray[np.float64] | None:
        if not self._is_fitted:
            self._is_fitted = True
            try:
                self._colours = _fitted(self._vae, self._side)
            except Exception:  # a clip is worth more than its previews
                log.warning("no_previews", exc_info=True)
        return self._colours


def _fitted(vae: Any, side: int) -> npt.NDArray[np.float64] | None:
    """(channels + 1, 3): least squares from a cell's latent and a one to red, green and blue."""
    if getattr(vae, "encoder", None) is None or not hasattr(vae, "encode"):
        return None
    import torch

    colours = np.array(list(product(_LEVELS, repeat=3)))
    device, dtype = next(vae.encoder.parameters()).device, vae.dtype
    with torch.no_grad():
        flat = torch.tensor(colours, device=device, dtype=dtype).view(-1, 3, 1, 1, 1)
        clips = flat.expand(-1, 3, 1, side, side).contiguous()
        latents = normalised(vae, vae.encode(clips).latent_dist.mode())[:, :, 0]
        middles = latents[:, :, latents.shape[2] // 2, latents.shape[3] // 2]
    cells = np.column_stack([middles.double().cpu().numpy(), np.ones(len(colours))])
    # Of the many maps that fit few colours in many channels, the shortest: noise grows least.
    fitted, *_ = np.linalg.lstsq(cells, colours * 0.5 + 0.5, rcond=1e-3)
    return np.asarray(fitted)


def normalised(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Encoded latents as the denoisers of diffusers know them: by the VAE's own statistics."""
    import torch

    scale = float(getattr(vae.config, "scaling_factor", None) or 1.0)
    mean, deviation = (_statistic(vae, name) for name in ("latents_mean", "latents_std"))
    if mean is None or deviation is None:
        return latents * scale
    shape = (1, -1, *[1] * (latents.ndim - 2))
    mean, deviation = (
        torch.as_tensor(one).to(latents.device, torch.float32).view(shape)
        for one in (mean, deviation)
    )
    return (latents.float() - mean) / deviation * scale


def _statistic(vae: Any, name: str) -> Any:
    """LTX keeps them as buffers, Wan in its configuration, others have none."""
    buffered = dict(vae.named_buffers(recurse=False)).get(name)
    return buffered if buffered is not None else getattr(vae.config, name, None)
