from __future__ import annotations

import base64
from typing import Any

from core.seal.models import SigningKey
from core.seal.rules import ALGORITHM, SIGNATURE, verify


def signing_keys() -> list[SigningKey]:
    """Every key that ever signed here, oldest first."""
    return list(SigningKey.objects.order_by("first_used_at", "key_id"))


def shown_key(key: SigningKey) -> dict[str, str]:
    """A public key as it is published: plain values, base64 as RFC 4648 has it."""
    return {
        "id": key.key_id,
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(bytes(key.public_key)).decode(),
        "since": key.first_used_at.isoformat(),
    }


def is_signed_here(document: dict[str, Any]) -> bool:
    """Whether one of this installation's keys signed it."""
    signature = document.get(SIGNATURE)
    key_id = signature.get("key_id") if isinstance(signature, dict) else None
    key = SigningKey.objects.filter(key_id=key_id).first() if isinstance(key_id, str) else None
    return key is not None and verify(document, bytes(key.public_key))
