"""Seeds of authenticator apps and recovery codes are stored encrypted.

allauth keeps them as they are; with a dump of the database alone one could then make anybody's
codes. The key comes from the peppers, which are not in the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet

from accounts.credentials.peppers import current, pepper

PURPOSE = b"second step"


class SecondStep(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        pepper_id, key = current()
        return f"{pepper_id}:{_box(key).encrypt(text.encode()).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Raises ``PepperUnknown`` or ``InvalidToken`` where the key is not ours any more."""
        pepper_id, _colon, sealed = encrypted_text.partition(":")
        return _box(pepper(pepper_id)).decrypt(sealed.encode()).decode()


def _box(key: str) -> Fernet:
    """Fernet (AES-128-CBC and HMAC-SHA-256) under a key of its own, derived from the pepper."""
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), PURPOSE, hashlib.sha256)))
