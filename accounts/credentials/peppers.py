"""The keys under which token secrets are stored, by id, so that they can be rotated.

Settings hand them in: this floor does not know where the installation keeps its secrets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet
from django.conf import settings


class PepperUnknown(LookupError):
    """A stored token names a pepper this installation does not have."""


def current() -> tuple[str, str]:
    """Id and key of the pepper for new tokens."""
    peppers: dict[str, str] = settings.PEPPERS()
    return list(peppers.items())[-1]


def pepper(pepper_id: str) -> str:
    """The key of an id; for an empty id any key, so that a miss costs what a hit costs."""
    peppers: dict[str, str] = settings.PEPPERS()
    if not pepper_id:
        return current()[1]
    try:
        return peppers[pepper_id]
    except KeyError:
        raise PepperUnknown(pepper_id) from None


def seal(text: str, *, purpose: bytes) -> str:
    """What the house must read again, kept such that a dump of the database alone tells nothing."""
    pepper_id, key = current()
    return f"{pepper_id}:{_box(key, purpose).encrypt(text.encode()).decode()}"


def unseal(sealed: str, *, purpose: bytes) -> str:
    """Raises ``PepperUnknown`` or ``InvalidToken`` where the key is not ours any more."""
    pepper_id, _colon, text = sealed.partition(":")
    return _box(pepper(pepper_id), purpose).decrypt(text.encode()).decode()


def _box(key: str, purpose: bytes) -> Fernet:
    """Fernet (AES-128-CBC and HMAC-SHA-256) under a key of its own, derived from the pepper."""
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), purpose, hashlib.sha256)))
