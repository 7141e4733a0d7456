from __future__ import annotations

import pytest

from accounts.programmes.models import Programme
from stage.review import open_review


@pytest.fixture
def review_open(programme: Programme) -> Programme:
    """The programme of the cast, with clauses and a clock in force."""
    open_review(programme)
    return programme
