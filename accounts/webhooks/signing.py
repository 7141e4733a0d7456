"""Standard Webhooks 1.0: what an event's headers are, so that whoever receives it can check it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits as receivers write them; shown once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def hint_of(secret: str) -> str:
    """What may be shown of it later, to tell which one a receiver has."""
    return f"{PREFIX}…{secret.rstrip('=')[-4:]}"


def signature(secret: str, message_id: str, moment: int, body: bytes) -> str:
    """``v1,`` and HMAC-SHA-256 over ``id.timestamp.body`` in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(
    secrets_in_force: Iterable[str], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """One signature for each secret that is in force: an old one counts on for a day."""
    moment = int(at.timestamp())
    signatures = [signature(each, message_id, moment, body) for each in secrets_in_force]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signatures),
    }
