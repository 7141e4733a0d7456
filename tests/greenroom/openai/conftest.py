from __future__ import annotations

import pytest

from stage.builders import a_model


@pytest.fixture(autouse=True)
def _catalogue(db):
    """The model ``still`` is offered."""
    a_model()
