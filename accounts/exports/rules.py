"""How an export is made and how long it stays."""

from __future__ import annotations

from datetime import timedelta

LASTS = timedelta(days=7)
# Whoever builds one says every few seconds that they still do; a killed one is tried again.
LEASE = timedelta(minutes=10)
MOST_ATTEMPTS = 3
PAUSE = timedelta(minutes=2)
