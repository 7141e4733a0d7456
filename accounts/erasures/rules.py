"""The secret of a receipt's link, and how long an erasure waits for anybody else."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

SECRET_SIGNS = 43
# A payout on its way needs to know whom it pays. Longer than a month nobody has to wait for that
# (GDPR, Art. 12(3)): then the person goes all the same, and what is owed is paid on the receipt.
WAITS_AT_MOST = timedelta(days=30)
PAYOUT = "payout"
_SHAPE = re.compile(rf"[0-9A-Za-z]{{{SECRET_SIGNS}}}\Z")


def digest_of(secret: str) -> bytes | None:
    """SHA-256: 256 random bits need no slow hash. None for what cannot be a secret of ours."""
    return hashlib.sha256(secret.encode()).digest() if _SHAPE.match(secret) else None


def done_by(asked_at: datetime) -> datetime:
    """The latest moment at which an erasure that waits is done."""
    return asked_at + WAITS_AT_MOST
