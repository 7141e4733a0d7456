"""What is signed, and what verifies: here, and on a machine that knows nothing of this house."""

import base64
import copy
import hashlib
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from core.seal.commands import SigningKeyUnusable, sign
from core.seal.models import SigningKey
from core.seal.queries import is_signed_here, shown_key, signing_keys
from core.seal.rules import canonical, false_hashes, key_id_of, read_signed, verify
from greenroom.checkout import CHECKOUT

DOCUMENT = {
    "kind": "test.receipt",
    "text": "Grüße, 世界\n“quoted” \\ \u007f \u0001",
    "number": 3,
    "nothing": None,
    "list": [True, "x", {"b": 1, "a": 2}],
}

plain = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abcde"), inner),
    max_leaves=8,
)


@pytest.fixture
def signed(db):
    return sign(DOCUMENT)


def public_key_of(document):
    return bytes(SigningKey.objects.get(key_id=document["signature"]["key_id"]).public_key)


def test_the_canonical_form_is_that_of_rfc_8785():
    assert canonical({"b": "é\n\u0001", "a": [1, None, True], "signature": "left out"}) == (
        '{"a":[1,null,true],"b":"é\\n\\u0001"}'.encode()
    )


@pytest.mark.parametrize("value", [1.5, b"x", 2**53, {"é": 1}, {1: 2}, object()])
def test_what_has_no_canonical_form_is_not_signed(value):
    with pytest.raises(ValueError, match="signed document"):
        canonical({"a": [value]})


def test_a_signed_document_verifies_with_the_key_that_is_published(signed):
    assert verify(signed, public_key_of(signed))
    assert is_signed_here(signed)
    assert {name: value for name, value in signed.items() if name != "signature"} == DOCUMENT


def test_the_same_document_gives_the_same_receipt_and_one_key(signed):
    assert sign(DOCUMENT) == signed
    (key,) = signing_keys()
    assert key.key_id == key_id_of(bytes(key.public_key)) == signed["signature"]["key_id"]


@given(plain, plain)
def test_any_other_document_does_not_verify(value, other):
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = {
        "key_id": key_id_of(public),
        "algorithm": "Ed25519",
        "value": base64.b64encode(key.sign(canonical({"it": value}))).decode(),
    }
    same = canonical({"it": value}) == canonical({"it": other})
    assert verify({"it": value, "signature": signature}, public)
    assert verify({"it": other, "signature": signature}, public) is same


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(number=4),
        lambda it: it.update(more="words"),
        lambda it: it.pop("nothing"),
        lambda it: it["list"][2].update(a=3),
        lambda it: it["signature"].update(algorithm="none"),
        lambda it: it["signature"].update(value="AAAA"),
        lambda it: it["signature"].update(value="not base64!"),
        lambda it: it["signature"].update(key_id="0" * 16),
        lambda it: it.update(signature="none"),
        lambda it: it.pop("signature"),
        lambda it: it.update(number=3.0),
    ],
)
def test_what_was_changed_or_unsigned_does_not_verify(signed, spoil):
    spoilt = copy.deepcopy(signed)
    spoil(spoilt)
    assert not verify(spoilt, public_key_of(signed))
    assert not is_signed_here(spoilt)


def test_a_key_of_ones_own_signs_and_the_old_one_still_verifies(signed, settings):
    seed = bytes(range(32))
    settings.SIGNING_KEY = base64.b64encode(seed).decode()
    newer = sign(DOCUMENT)
    expected = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert public_key_of(newer) == expected
    assert newer["signature"]["key_id"] != signed["signature"]["key_id"]
    assert is_signed_here(newer)
    assert is_signed_here(signed)
    assert len(signing_keys()) == 2


@pytest.mark.parametrize("key", ["short", base64.b64encode(b"x" * 31).decode(), "*" * 44])
def test_what_is_no_key_signs_nothing(db, settings, key):
    settings.SIGNING_KEY = key
    with pytest.raises(SigningKeyUnusable):
        sign(DOCUMENT)
    assert signing_keys() == []


def test_the_derived_key_is_another_for_another_secret(signed, settings):
    settings.SECRET_KEY = "another secret of another house"
    assert sign(DOCUMENT)["signature"]["key_id"] != signed["signature"]["key_id"]


def test_a_document_that_two_readers_may_read_differently_is_refused():
    for text in ('{"a": 1, "a": 2}', '{"a": 1.0}', '{"a": NaN}', "[]"):
        with pytest.raises(ValueError, match=r"object|number"):
            read_signed(text)


def test_a_hash_beside_a_text_must_be_its_own():
    right = {"text": "", "text_sha256": hashlib.sha256(b"").hexdigest()}
    assert list(false_hashes({"a": [right]})) == []
    assert list(false_hashes({"a": [{**right, "text": "x"}]})) == ["a.0.text"]


# The keys, and both verifiers -------------------------------------------------------------------


@pytest.fixture
def files(signed, tmp_path):
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    receipt.write_text(json.dumps(signed, indent=2, ensure_ascii=False))
    keys.write_text(json.dumps({"keys": [shown_key(key) for key in signing_keys()]}))
    return receipt, keys


def verified_elsewhere(*paths):
    """By the program that is handed out, in a Python that cannot see this house."""
    return subprocess.run(
        [sys.executable, "-I", str(CHECKOUT / "docs/verify_receipt.py"), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=paths[0].parent,
    )


def test_a_receipt_verifies_without_this_house(files):
    found = verified_elsewhere(*files)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("Verified: test.receipt")


ACT = {"act": "granted", "at": "2035-06-04T09:00:00Z", "clip": None}


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"kind": "agreement.receipt", "act": ACT, "agreement": {"number": 2}},
            "granted version 2 of the agreement at 2035-06-04T09:00:00Z",
        ),
        (
            {"kind": "consent.receipt", "act": ACT, "consent": {"purpose": "training"}},
            "granted the consent 'training' for the whole programme at 2035-06-04T09:00:00Z",
        ),
        (
            {
                "kind": "erasure.receipt",
                "asked_at": ACT["at"],
                "done_at": None,
                "done_by": "2035-07-04T09:00:00Z",
                "deleted": ["person"],
                "kept": [{"what": "work"}],
            },
            "asked for at 2035-06-04T09:00:00Z, done: not yet, by 2035-07-04T09:00:00Z",
        ),
    ],
)
def test_elsewhere_each_kind_of_receipt_says_what_it_is_about(db, tmp_path, facts, line, capsys):
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    receipt.write_text(json.dumps(sign({"issuer": "x", "party": "par_1", **facts})))
    keys.write_text(json.dumps({"keys": [shown_key(key) for key in signing_keys()]}))
    found = verified_elsewhere(receipt, keys)
    assert (found.returncode, line in found.stdout) == (0, True), found.stdout
    call_command("receipt", "verify", str(receipt))
    said = capsys.readouterr().out
    assert "at 2035-06-04" in said
    assert "None" not in found.stdout + said


@pytest.mark.parametrize(
    ("was", "is_now", "why"),
    [
        ('"number": 3', '"number": 4', "did not sign this"),
        ('"number": 3', '"number": 3, "number": 3', "stands twice"),
        ('"number": 3', '"number": 3.0', "not whole"),
        ("Grüße", "Gruß", "did not sign this"),
    ],
)
def test_an_altered_receipt_fails_elsewhere_and_here(files, was, is_now, why):
    receipt, keys = files
    assert was in receipt.read_text()
    receipt.write_text(receipt.read_text().replace(was, is_now))
    found = verified_elsewhere(receipt, keys)
    assert (found.returncode, why in found.stdout) == (1, True), found.stdout
    with pytest.raises(CommandError):
        call_command("receipt", "verify", str(receipt))


def test_a_foreign_key_fails_elsewhere_and_here(files, settings, tmp_path, signed):
    receipt, keys = files
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    forged = {**DOCUMENT, "number": 4}
    value = base64.b64encode(key.sign(canonical(forged))).decode()
    # Under its own name, and under the name of ours.
    for key_id in (key_id_of(public), signed["signature"]["key_id"]):
        signature = {"key_id": key_id, "algorithm": "Ed25519", "value": value}
        receipt.write_text(json.dumps({**forged, "signature": signature}))
        assert verified_elsewhere(receipt, keys).returncode == 1
        with pytest.raises(CommandError, match="Not verified"):
            call_command("receipt", "verify", str(receipt))
    # A list of keys that gives a foreign key our id is no list of ours.
    stolen = {"id": signed["signature"]["key_id"], "public_key": base64.b64encode(public).decode()}
    keys.write_text(json.dumps({"keys": [stolen]}))
    assert "not the hash of the key" in verified_elsewhere(receipt, keys).stdout


def test_nonsense_in_place_of_a_receipt_or_keys_is_said_so(files, tmp_path):
    receipt, keys = files
    nonsense = tmp_path / "nonsense.json"
    for text in (b"", b"[]", b"{}", b'{"keys": [{}]}', b'{"keys": 3}', b"\xff\xfe"):
        nonsense.write_bytes(text)
        for pair in ((nonsense, keys), (receipt, nonsense)):
            found = verified_elsewhere(*pair)
            assert found.returncode == 1, (text, found.stdout, found.stderr)
            assert found.stdout.startswith("NOT VERIFIED")
    assert verified_elsewhere(receipt).returncode == 2


def test_the_command_says_that_it_verifies(files, capsys):
    call_command("receipt", "verify", str(files[0]))
    assert "Verified: test.receipt" in capsys.readouterr().out


def test_every_key_is_public(signed, client):
    client.defaults["HTTP_HOST"] = "localhost:8000"
    body = client.get("/.well-known/greenroom-keys.json").json()
    assert [key["id"] for key in body["keys"]] == [signed["signature"]["key_id"]]
    assert base64.b64decode(body["keys"][0]["public_key"]) == public_key_of(signed)
    page = client.get("/keys").content.decode()
    assert body["keys"][0]["public_key"] in page
    assert "first used" in page
    assert "pip install cryptography" in page
    program = client.get("/keys/verify_receipt.py").content
    assert program == (CHECKOUT / "docs/verify_receipt.py").read_bytes()
