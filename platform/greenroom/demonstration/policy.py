"""Where the demonstration differs from what every programme begins with."""

from __future__ import annotations

from core.money import MICRO

# Somebody is at the desk every day, so that nothing waits for a Monday.
WEEK = ["09:00-17:00"] * 7

# In the demonstration's currency, which nobody can spend.
FUNDING = 5_000 * MICRO
