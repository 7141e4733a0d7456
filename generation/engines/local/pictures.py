"""Pictures that a clip must show, brought to the size that the model generates."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from generation.engines.order import Condition, Order
from generation.engines.protocol import EngineFailure, FailureCode, Frame

ENLARGING = "lanczos"
"""How pictures are enlarged; the record of a clip names it."""


def prepared(order: Order, width: int, height: int) -> tuple[tuple[Image.Image, Condition], ...]:
    """Each condition's picture, RGB, ``width`` × ``height``: scaled to cover the file, the surplus
    cut off evenly, and the rows and columns that the crop will remove filled by its edge. Where the
    file is enlarged, it covers what the model generates.

    Raises ``EngineFailure`` for a file that is gone or is another than the order names.
    """
    return tuple((_picture(one, order, width, height), one) for one in order.conditions)


def enlarged(frame: Frame, width: int, height: int) -> Frame:
    """Every frame by itself, on the host: torch has no filter as sharp."""
    return np.array(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))


def _picture(condition: Condition, order: Order, width: int, height: int) -> Image.Image:
    fitted = ImageOps.fit(
        _read(condition.path, condition.sha256),
        (min(order.width, width), min(order.height, height)),
        Image.Resampling.LANCZOS,
    )
    if (width, height) == fitted.size:
        return fitted
    left, top = (width - order.width) // 2, (height - order.height) // 2
    # Edge rows again, never a stretch: what the crop leaves is the picture, pixel for pixel.
    whole = fitted.resize((width, height), Image.Resampling.BICUBIC)
    whole.paste(fitted, (left, top))
    return whole


def _read(path: Path, sha256: str) -> Image.Image:
    try:
        with path.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
                raise EngineFailure(FailureCode.REFERENCE_MISSING, f"{path.name} is another file")
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError as error:
        raise EngineFailure(FailureCode.REFERENCE_MISSING, f"{path.name}: {error}") from error
