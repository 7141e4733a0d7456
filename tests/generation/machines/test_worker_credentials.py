"""Worker credentials: made for one machine, shown once, revoked for good."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.credentials.peppers import pepper
from accounts.credentials.rules import Letter, digest, new_token
from core.audit.models import AuditEvent
from core.errors import InvalidOrder, TooLate
from core.outbox.models import OutboxMessage
from generation.machines.commands import admit_machine, revoke_worker_credential
from generation.machines.models import WorkerCredential
from generation.machines.rules import (
    FILES,
    content_digest,
    read_content_digest,
    read_worker_credential,
)
from generation.media import recording
from generation.worker.identity import this_worker

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    written = io.StringIO()
    call_command("worker", *words, stdout=written)
    return written.getvalue()


def test_a_credential_is_shown_once_and_only_its_digest_is_kept():
    credential, text = admit_machine(machine="gpu-room")
    assert re.fullmatch(r"grm_w_[0-9A-Za-z]{61}", text)
    parts = read_worker_credential(text)
    assert parts.key_id == credential.key_id
    kept = WorkerCredential.objects.get()
    assert bytes(kept.digest) == digest(parts, pepper(kept.pepper_id))
    assert (kept.machine, kept.last_used_at, kept.revoked_at) == ("gpu-room", None, None)
    everything = repr([*WorkerCredential.objects.values(), *AuditEvent.objects.values()])
    assert parts.secret not in everything


def test_making_and_revoking_leave_a_line_each():
    credential, _text = admit_machine(machine="gpu-room")
    revoke_worker_credential(credential=credential)
    facts = {"machine": "gpu-room", "key_id": credential.key_id}
    lines = AuditEvent.objects.filter(subject_id=credential.id).order_by("id")
    kinds = ["worker_credential.made", "worker_credential.revoked"]
    assert [(line.kind, line.facts) for line in lines] == [(kind, facts) for kind in kinds]
    told = OutboxMessage.objects.filter(subject_id=credential.id).values_list("kind", flat=True)
    assert sorted(told) == kinds


def test_a_credential_is_revoked_once():
    credential, _text = admit_machine(machine="gpu-room")
    revoke_worker_credential(credential=credential)
    with pytest.raises(TooLate):
        revoke_worker_credential(credential=credential)
    assert AuditEvent.objects.filter(kind="worker_credential.revoked").count() == 1


def test_a_machine_may_have_two_while_one_is_replaced():
    for _ in range(2):
        admit_machine(machine="gpu-room")
    assert WorkerCredential.objects.filter(machine="gpu-room", revoked_at=None).count() == 2


@pytest.mark.parametrize("machine", ["", "a" * 25, "gpu room", "gpu:1", "../gpu", "-gpu"])
def test_only_what_a_host_is_called_is_admitted(machine):
    with pytest.raises(InvalidOrder) as refused:
        admit_machine(machine=machine)
    assert refused.value.code == "machine_name_invalid"


def test_no_token_of_a_person_is_a_worker_credential():
    for letter in Letter:
        parts = read_worker_credential(new_token(letter)[1])
        assert (parts is not None) == (letter is Letter.WORKER)


def test_a_digest_that_is_said_is_read_back_and_nothing_else_is():
    assert read_content_digest(content_digest(bytes(range(32)))) == bytes(range(32))
    assert read_content_digest(f"md5=:AA==:, {content_digest(bytes(32))}") == bytes(32)
    for wrong in ("", "sha-256=:AAAA:", f"x{content_digest(bytes(32))}", "sha-256=:====:"):
        assert read_content_digest(wrong) is None


def test_every_file_of_a_recording_has_a_place_and_nothing_else():
    names = ("CLIP", "PROXY_CLIP", "POSTER", "SHEET", "INDEX", "WAVEFORM")
    assert set(FILES) == {getattr(recording, name) for name in names}


def test_the_operator_admits_lists_and_revokes():
    words = said("admit", "gpu-room").splitlines()
    assert words[0] == "It counts for gpu-room until it is revoked."
    key = read_worker_credential(words[1]).key_id
    assert f"gpu-room  {key}  counts" in said("list")
    assert "last used never" in said("list")
    said("revoke", key)
    assert f"gpu-room  {key}  revoked" in said("list")
    with pytest.raises(CommandError, match="revoked already"):
        said("revoke", key)
    with pytest.raises(CommandError, match="No worker credential"):
        said("revoke", "nobodys")
    with pytest.raises(CommandError, match="machine_name_invalid"):
        said("admit", "a room")


def test_a_try_without_an_address_says_so():
    with pytest.raises(CommandError, match="GREENROOM_FILES_ADDRESS"):
        said("try")


def test_a_try_says_what_is_wrong_and_that_all_is_well(web, transactional_db, settings):
    host = this_worker().host
    settings.FILES_ADDRESS = web.address
    for machine, answer in (("another-machine", "the credential of another-machine"), (host, "")):
        _credential, text = admit_machine(machine=machine)
        settings.WORKER_CREDENTIAL = lambda text=text: text
        if answer:
            with pytest.raises(CommandError, match=answer):
                said("try")
        else:
            assert said("try") == f"The web takes files of {host}.\n"
    revoke_worker_credential(credential=WorkerCredential.objects.get(machine=host))
    with pytest.raises(CommandError, match="401"):
        said("try")
    settings.WORKER_CREDENTIAL = lambda: "grm_t_mistyped"
    with pytest.raises(CommandError, match="no worker credential here") as refused:
        said("try")
    assert "mistyped" not in str(refused.value).replace("is mistyped", "")
