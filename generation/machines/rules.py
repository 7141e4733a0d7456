"""What a machine may be called, with what its workers prove themselves, which files they send."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from accounts.credentials.rules import Letter, TokenParts, read_token

MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}")
"""A host's name as workers announce it: its first 24 signs."""
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):")


def read_worker_credential(text: str) -> TokenParts | None:
    """The parts of a well-formed worker credential, else None: no token of a person's is one."""
    parts = read_token(text)
    return parts if parts is not None and parts.letter == Letter.WORKER else None


FILES = {
    "clip.mp4": 4 * 2**30,
    "proxy.mp4": 2**30,
    "poster.webp": 64 * 2**20,
    "sheet.webp": 64 * 2**20,
    "sheet.vtt": 2**20,
    "waveform.webp": 64 * 2**20,
}
"""What an attempt makes, by the names of generation.media.recording, and the most bytes of each."""


def content_digest(sha256: bytes) -> str:
    """The header ``Content-Digest`` of RFC 9530."""
    return f"sha-256=:{b64encode(sha256).decode()}:"


def read_content_digest(header: str) -> bytes | None:
    """None where it says no SHA-256, or says it twice."""
    found = _DIGEST.findall(header)
    try:
        (digest,) = (b64decode(one, validate=True) for one in found)
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
