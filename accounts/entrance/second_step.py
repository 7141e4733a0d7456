"""Seeds of authenticator apps and recovery codes are stored encrypted.

allauth keeps them as they are; with a dump of the database alone one could then make anybody's
codes. The key comes from the peppers, which are not in the database.
"""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter

from accounts.credentials.peppers import seal, unseal

PURPOSE = b"second step"


class SecondStep(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose=PURPOSE)
