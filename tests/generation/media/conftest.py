from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from generation.engines.order import Order
from generation.engines.protocol import Stage, Watch
from generation.engines.still import StillEngine

Frames = Iterator[npt.NDArray[np.uint8]]


class Quiet(Watch):
    def tick(self, stage: Stage, step: int, steps: int) -> None:
        """Nobody looks."""


@pytest.fixture
def scene() -> Callable[..., Frames]:
    def drawn(
        frames: int, width: int = 192, height: int = 128, rate: Fraction = Fraction(24)
    ) -> Frames:
        order = Order(
            prompt="harbour",
            seed=1,
            frames=frames,
            rate=rate,
            width=width,
            height=height,
            steps=1,
        )
        return StillEngine().render(order, Quiet())

    return drawn
