from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from generation.engines.order import Order
from generation.engines.protocol import Stage, Stopped, Watch
from stage.collecting import spare_what_is_imported


class Watching(Watch):
    """Counts ticks; stops at the tick it was told to."""

    def __init__(self, stop_at: tuple[Stage, int] | None = None) -> None:
        self.seen: Counter[Stage] = Counter()
        self.last: dict[Stage, tuple[int, int]] = {}
        self.trail: list[tuple[Stage, int, int]] = []
        self._stop_at = stop_at

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        self.seen[stage] += 1
        self.last[stage] = (step, steps)
        self.trail.append((stage, step, steps))
        if self._stop_at is not None and self._stop_at == (stage, self.seen[stage]):
            raise Stopped("asked to")


@pytest.fixture
def watching() -> type[Watching]:
    return Watching


@pytest.fixture
def order_of() -> Callable[..., Order]:
    def made(**changes: Any) -> Order:
        usual: dict[str, Any] = {
            "prompt": "a red circle moves left",
            "seed": 7,
            "frames": 9,
            "rate": Fraction(8),
            "width": 128,
            "height": 96,
            "steps": 3,
        }
        return Order(**(usual | changes))

    return made


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from stage.tiny import write_tiny_pipeline

    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_pipeline(folder)
    spare_what_is_imported()
    return folder
