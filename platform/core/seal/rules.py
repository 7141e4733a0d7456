"""Signed documents: what is signed, byte for byte, and whether a signature is good.

Ed25519 (RFC 8032) over the document without its ``signature``, in the canonical form of RFC 8785:
keys sorted, no spaces, UTF-8. Numbers are whole, so that nobody's arithmetic matters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALGORITHM = "Ed25519"
SIGNATURE = "signature"
# The whole numbers that every reader of JSON holds exactly (RFC 8785 writes numbers as IEEE 754).
LARGEST_WHOLE = 2**53 - 1


def canonical(document: dict[str, Any]) -> bytes:
    """The bytes that are signed. Raises ``ValueError`` for what has no canonical form here."""
    signed = {name: value for name, value in document.items() if name != SIGNATURE}
    _must_be_plain(signed)
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def key_id_of(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]


def verify(document: dict[str, Any], public_key: bytes) -> bool:
    """Whether this key signed exactly this. False for anything else; never raises for bad input."""
    signature = document.get(SIGNATURE)
    if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
        return False
    if signature.get("key_id") != key_id_of(public_key):
        return False
    try:
        value = base64.b64decode(str(signature.get("value", "")), validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, canonical(document))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def read_signed(text: str) -> dict[str, Any]:
    """A signed document as it was written. Raises ``ValueError`` for anything that two readers
    might read differently: a name that stands twice, a number with a fraction."""
    document = json.loads(
        text, object_pairs_hook=_once_each, parse_float=_no_number, parse_constant=_no_number
    )
    if not isinstance(document, dict):
        raise ValueError("a signed document is one JSON object")  # noqa: TRY004
    return document


def false_hashes(value: Any, place: str = "") -> Iterator[str]:
    """Where a text stands beside a hash (``text`` and ``text_sha256``) that is not its own."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from false_hashes(each, f"{place}{number}.")
    if isinstance(value, dict):
        for name, each in value.items():
            yield from false_hashes(each, f"{place}{name}.")
            beside = value.get(f"{name}_sha256")
            if beside is not None and hashlib.sha256(str(each).encode()).hexdigest() != beside:
                yield f"{place}{name}"


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no whole number")


def _must_be_plain(value: Any) -> None:
    """Texts, whole numbers, truth, nothing, and lists and objects of these; keys are ASCII."""
    if isinstance(value, dict):
        if not all(isinstance(name, str) and name.isascii() for name in value):
            raise ValueError("keys of a signed document are ASCII texts")
        for each in value.values():
            _must_be_plain(each)
    elif isinstance(value, list):
        for each in value:
            _must_be_plain(each)
    elif isinstance(value, int):
        if abs(value) > LARGEST_WHOLE:
            raise ValueError("a number of a signed document is within 2⁵³")
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"a signed document holds no {type(value).__name__}")
