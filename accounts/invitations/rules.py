"""The secret of an invitation's link, and how long it opens the door."""

from __future__ import annotations

import hashlib
from datetime import timedelta

LASTS = timedelta(days=7)
SECRET_SIGNS = 43


def digest_of(secret: str) -> bytes:
    """SHA-256: 256 random bits need no slow hash. The secret itself stands only in the link."""
    return hashlib.sha256(secret.encode()).digest()
