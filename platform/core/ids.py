"""Identifiers: UUIDv7 inside (RFC 9562, section 5.7), a prefix and 26 Crockford characters outside.

Both faces show the same 128 bits, so there is no second column. Not monotonic within one
millisecond: an id is never the tie-break of an order that matters.
"""

from __future__ import annotations

import re
import secrets
import time
from uuid import UUID

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {sign: number for number, sign in enumerate(ALPHABET)}
_SHAPE = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}\Z")

PREFIXES = {
    "party": "par",
    "person": "per",
    "programme": "prg",
    "agreement": "agr",
    "acceptance": "acp",
    "credential": "crd",
    "invitation": "inv",
    "budget": "bud",
    "reservation": "res",
    "model": "mdl",
    "thread": "thr",
    "job": "job",
    "clip": "clp",
    "rendition": "ren",
    "notice": "ntc",
    "event": "evt",
    "rate": "rat",
    "policy": "pol",
    "clause": "cls",
    "charter": "cha",
    "submission": "sub",
    "case": "cas",
    "decision": "dec",
    "appeal": "apl",
    "credit_line": "crl",
    "release": "rel",
    "share_link": "lnk",
    "contribution": "ctb",
    "act": "act",
    "transaction": "txn",
    "payout": "pay",
    "calendar": "cal",
    "consent": "cns",
    "consent_act": "cna",
    "retention": "ret",
    "cohort": "coh",
    "administrator": "adm",
    "grant": "grt",
    "mail": "mai",
    "announcement": "ann",
    "conversation": "cnv",
    "remark": "rmk",
    "export": "exp",
    "erasure": "ers",
    "removal": "rmv",
    "reference": "ref",
    "device": "dev",
    "device_login": "dvl",
    "style": "sty",
    "worker_credential": "wcr",
    "webhook_endpoint": "whk",
    "webhook_delivery": "whd",
}


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    bits = milliseconds << 80 | secrets.randbits(80)
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=bits)


def shown(thing: str, value: UUID) -> str:
    """``shown("job", id)`` gives ``job_01…``: what people and programs see."""
    number, signs = value.int, []
    for _ in range(26):
        signs.append(ALPHABET[number & 31])
        number >>= 5
    return f"{PREFIXES[thing]}_{''.join(reversed(signs))}"


def read_id(thing: str, text: str) -> UUID | None:
    """The inverse of ``shown``; None for all else: no aliases, upper case or other prefix."""
    prefix, _, signs = text.partition("_")
    if prefix != PREFIXES[thing] or not _SHAPE.match(signs):
        return None
    number = 0
    for sign in signs:
        number = number << 5 | _VALUE[sign]
    return UUID(int=number)
