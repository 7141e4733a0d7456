"""Pictures that a clip must show, brought to the size that the model generates."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image, ImageOps

from generation.engines.order import Condition, Order
from generation.engines.protocol import EngineFailure, FailureCode


def prepared(order: Order, width: int, height: int) -> tuple[tuple[Image.Image, Condition], ...]:
    """Each condition's picture, RGB, ``width`` × ``height``: scaled to cover the file, the surplus
    cut off evenly, and the rows and columns that the crop will remove filled by its edge.

    Raises ``EngineFailure`` for a file that is gone or is another than the order names.
    """
    return tuple((_picture(one, order, width, height), one) for one in order.conditions)


def _picture(condition: Condition, order: Order, width: int, height: int) -> Image.Image:
    fitted = ImageOps.fit(
        _read(condition.path, condition.sha256),
        (order.width, order.height),
        Image.Resampling.LANCZOS,
    )
    left, top = (width - order.width) // 2, (height - order.height) // 2
    if (width, height) == fitted.size:
        return fitted
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
