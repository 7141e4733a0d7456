"""Device login (RFC 8628): the codes, their shapes, and how long they count.

The device code has 256 bits that nobody can guess; SHA-256 of it is kept. The user code is short,
since a person types it: it is kept as HMAC-SHA-256 under a pepper, counts for ten minutes, and
may be tried ten times by one party in that time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from accounts.credentials.rules import random_base62

LASTS = timedelta(minutes=10)  # so does the database
INTERVAL_S = 5
SLOWER_BY_S = 5  # RFC 8628, section 3.5
DEVICE_CODE_SIGNS = 43
# No vowels, so that no word comes of it, and no digits that look like letters (section 6.1).
USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_SIGNS = 8
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
TRIES = 10  # of one party within ``LASTS``; so does the database
FROM_ONE_ADDRESS = 20  # begun within ``LASTS``; so does the database
AT_ONCE = 2000  # begun within ``LASTS`` by everybody; so does the database

_NO_SIGN = re.compile(r"[^A-Z]")


def new_device_code() -> str:
    return random_base62(DEVICE_CODE_SIGNS)


def new_user_code() -> str:
    return "".join(secrets.choice(USER_CODE_ALPHABET) for _place in range(USER_CODE_SIGNS))


def shown_user_code(code: str) -> str:
    """In two halves, to be read out: ``BCDF-GHJK``."""
    half = USER_CODE_SIGNS // 2
    return f"{code[:half]}-{code[half:]}"


def read_user_code(text: str) -> str | None:
    """As somebody typed it, in whatever case and with whatever between the signs."""
    code = _NO_SIGN.sub("", text[:64].upper())
    is_one = len(code) == USER_CODE_SIGNS and set(code) <= set(USER_CODE_ALPHABET)
    return code if is_one else None


def device_digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def user_digest(code: str, pepper: str) -> bytes:
    """Under a pepper: without it, thirty-four bits would be found from a dump in a minute."""
    return hmac.digest(pepper.encode(), f"user-code:{code}".encode(), hashlib.sha256)
