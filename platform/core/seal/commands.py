from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from core.seal.models import SigningKey
from core.seal.rules import ALGORITHM, SIGNATURE, canonical, key_id_of

SEED_BYTES = 32
# Names the one use of this key, so that it is none of those derived from the secret elsewhere.
PURPOSE = b"greenroom receipts, Ed25519, 1"


class SigningKeyUnusable(RuntimeError):
    """GREENROOM_SIGNING_KEY is set and is no key."""


def sign(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its ``signature``: the same document and key give the same bytes.

    The public half is kept before anybody can hold the receipt. Raises ``ValueError`` for a
    document without a canonical form (``rules.canonical``).
    """
    key = _private_key()
    public_key = key.public_key().public_bytes_raw()
    signature = {
        "key_id": key_id_of(public_key),
        "algorithm": ALGORITHM,
        "value": base64.b64encode(key.sign(canonical(document))).decode(),
    }
    _keep(public_key)
    return {**document, SIGNATURE: signature}


def _private_key() -> Ed25519PrivateKey:
    """Derived by HKDF (RFC 5869) from the secret key, or what GREENROOM_SIGNING_KEY holds."""
    own = settings.SIGNING_KEY
    if own:
        try:
            seed = base64.b64decode(own, validate=True)
        except (binascii.Error, ValueError):
            seed = b""
        if len(seed) != SEED_BYTES:
            raise SigningKeyUnusable("GREENROOM_SIGNING_KEY must be 32 bytes in base64.")
    else:
        derivation = HKDF(algorithm=hashes.SHA256(), length=SEED_BYTES, salt=None, info=PURPOSE)
        seed = derivation.derive(settings.SECRET_KEY.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _keep(public_key: bytes) -> None:
    key_id = key_id_of(public_key)
    if not SigningKey.objects.filter(key_id=key_id).exists():
        SigningKey.objects.bulk_create(
            [SigningKey(key_id=key_id, public_key=public_key)], ignore_conflicts=True
        )
