"""Verify a receipt of Greenroom, without Greenroom.

    python verify_receipt.py RECEIPT.json KEYS.json

KEYS.json is what the issuer publishes at /.well-known/greenroom-keys.json; keep it together with
the receipt. Needs Python 3.9 or newer and the package ``cryptography``. Opens no connection.

Checked are three things, and nothing else:
  1. that one of the keys in KEYS.json is named by the receipt, and its id is the hash of that key;
  2. that this key signed exactly what stands in the receipt (Ed25519 over the canonical JSON of
     RFC 8785, without the field "signature");
  3. that every text with a hash beside it ("text" and "text_sha256") has that hash.

So a good receipt says: whoever holds the key vouches for these words, this act and this moment.
It does not say who the person behind the party is, nor that KEYS.json is the issuer's: compare it
with what the issuer publishes, or with a copy that somebody else kept.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Faulty(Exception):
    """The receipt does not verify; the message says why."""


def once_each(pairs):
    """JSON allows a name twice; then two readers may see two different documents."""
    names = [name for name, _value in pairs]
    if len(set(names)) != len(names):
        raise Faulty("a name stands twice in one object")
    return dict(pairs)


def no_fraction(text):
    raise Faulty(f"the number {text} is not whole")


def read(path):
    try:
        document = json.loads(
            Path(path).read_bytes().decode("utf-8"),
            object_pairs_hook=once_each,
            parse_float=no_fraction,
            parse_constant=no_fraction,
        )
    except (OSError, ValueError) as fault:
        raise Faulty(f"{path} cannot be read: {fault}") from None
    if not isinstance(document, dict):
        raise Faulty(f"{path} is no JSON object")
    return document


def key_named(signature, keys):
    for key in keys.get("keys", []):
        if key.get("id") == signature.get("key_id"):
            public = base64.b64decode(key["public_key"], validate=True)
            if hashlib.sha256(public).hexdigest()[:16] != key["id"]:
                raise Faulty("the key's id is not the hash of the key")
            return public
    raise Faulty(f"no key {signature.get('key_id')!r} is among the issuer's keys")


def must_be_signed(receipt, keys):
    signature = receipt.get("signature")
    if not isinstance(signature, dict) or signature.get("algorithm") != "Ed25519":
        raise Faulty("there is no Ed25519 signature")
    public = key_named(signature, keys)
    signed = {name: value for name, value in receipt.items() if name != "signature"}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        value = base64.b64decode(str(signature.get("value")), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(value, text.encode("utf-8"))
    except (InvalidSignature, ValueError):
        raise Faulty("the key did not sign this: something was changed, or forged") from None


def hashes_checked(value, place=""):
    """The places of all texts whose hash stands beside them."""
    found = []
    if isinstance(value, list):
        for number, each in enumerate(value):
            found += hashes_checked(each, f"{place}{number}.")
    if isinstance(value, dict):
        for name, each in value.items():
            found += hashes_checked(each, f"{place}{name}.")
            beside = value.get(f"{name}_sha256")
            if beside is not None:
                if hashlib.sha256(str(each).encode("utf-8")).hexdigest() != beside:
                    raise Faulty(f"{place}{name} does not have the hash beside it")
                found.append(f"{place}{name}")
    return found


def facts_of(receipt):
    """What this kind of receipt is about, in a line; other kinds are read in the file itself."""
    kind, act = receipt.get("kind"), receipt.get("act")
    if kind == "agreement.receipt":
        agreement = receipt["agreement"]
        return f"{act['act']} version {agreement['number']} of the agreement at {act['at']}"
    if kind == "consent.receipt":
        consent, clip = receipt["consent"], act.get("clip")
        place = f"for {clip}" if clip else "for the whole programme"
        return f"{act['act']} the consent {consent['purpose']!r} {place} at {act['at']}"
    if kind == "erasure.receipt":
        done = receipt["done_at"] or f"not yet, by {receipt['done_by']} at the latest"
        deleted = ", ".join(receipt["deleted"])
        kept = ", ".join(sorted({each["what"] for each in receipt["kept"]})) or "nothing"
        return (
            f"erasure asked for at {receipt['asked_at']}, done: {done}\n"
            f"  deleted: {deleted}\n"
            f"  kept: {kept}"
        )
    return "see the file for what it is about"


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        receipt, keys = read(arguments[0]), read(arguments[1])
        must_be_signed(receipt, keys)
        checked = hashes_checked(receipt)
        facts = facts_of(receipt)
    except (Faulty, KeyError, TypeError, AttributeError, ValueError) as fault:
        print(f"NOT VERIFIED: {fault}")
        return 1
    print(f"Verified: {receipt.get('kind')} of {receipt.get('issuer')}")
    print(f"  signed with key {receipt['signature']['key_id']}")
    print(f"  party {receipt.get('party')}: {facts}")
    print(f"  texts with their hashes: {', '.join(checked) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
