from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from demo_model.codec import Codec
    from demo_model.detector import Detector


@pytest.fixture(scope="session")
def shipped() -> Any:
    from demo_model.export import WEIGHTS
    from demo_model.score import load

    return load(WEIGHTS)


@pytest.fixture(scope="session")
def found() -> Codec:
    """The numbers of the autoencoder that is shipped."""
    from demo_model import codec
    from demo_model.export import WEIGHTS
    from demo_model.score import load

    return codec.read(load(WEIGHTS).vae)


@pytest.fixture(scope="session")
def judge(found: Codec) -> Detector:
    from demo_model.detector import detector

    return detector(found)
