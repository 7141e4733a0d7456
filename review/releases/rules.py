"""The secret of a share link, and how long its words may be."""

from __future__ import annotations

import hashlib
import re

SECRET_SIGNS = 43
LONGEST_TITLE = 120
LONGEST_LINK_NAME = 80
_SHAPE = re.compile(rf"[0-9A-Za-z]{{{SECRET_SIGNS}}}\Z")


def digest_of(secret: str) -> bytes | None:
    """SHA-256: 256 random bits need no slow hash. None for what cannot be a secret of ours."""
    return hashlib.sha256(secret.encode()).digest() if _SHAPE.match(secret) else None
