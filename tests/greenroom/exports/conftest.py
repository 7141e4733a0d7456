from __future__ import annotations

import pytest

from stage.cast import Member
from stage.clock import Clock
from stage.life import Life, Others, a_life, a_paid_payout


@pytest.fixture
def others(second_tester: Member, reviewer: Member, manager: Member, finance: Member) -> Others:
    return Others(second_tester, reviewer, manager, finance)


@pytest.fixture
def life(tester: Member, others: Others, clock: Clock) -> Life:
    """The tester of the cast did everything once, and was paid."""
    made = a_life(tester, others, clock)
    a_paid_payout(made, others)
    return made
