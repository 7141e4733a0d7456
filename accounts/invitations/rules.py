"""The secret of an invitation's link, and how long it opens the door."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from accounts.credentials.rules import BASE62

LASTS = timedelta(days=7)
SENT_AGAIN_AFTER = timedelta(minutes=5)  # so does the database
MOST_SENT_AGAIN = 30  # of one programme in that time
SECRET_SIGNS = 43  # of 62: room for 256 bits


def link_secret(invitation_id: UUID, number: int, pepper: str) -> str:
    """HMAC-SHA-256 in base 62, most significant sign first: the same each time it is asked for,
    another for every number, and nothing that a dump of the database gives away."""
    said = f"invitation:{invitation_id}:{number}"
    rest = int.from_bytes(hmac.digest(pepper.encode(), said.encode(), hashlib.sha256), "big")
    signs = []
    for _place in range(SECRET_SIGNS):
        rest, digit = divmod(rest, len(BASE62))
        signs.append(BASE62[digit])
    return "".join(reversed(signs))


def digest_of(secret: str) -> bytes:
    """SHA-256: 256 bits that nobody can guess need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
