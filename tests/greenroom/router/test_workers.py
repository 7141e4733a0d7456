"""The doors for workers elsewhere: a real web process, asked as such a worker asks it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.ids import new_id, shown
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Job
from generation.machines.commands import admit_machine, revoke_worker_credential
from generation.machines.models import WorkerCredential
from generation.references.models import Reference, ReferenceStill
from generation.worker.commands import Claim, claim_next_job, lose_attempt
from generation.worker.identity import this_worker
from stage.builders import a_claim, a_job, a_model, a_reference
from stage.cast import Member
from stage.clock import Clock
from stage.together import wait_until
from stage.web import Said, Web, digest_of

pytestmark = pytest.mark.django_db(transaction=True)

FILE = b"a poster" * 2000
HERE = this_worker().host


class Sender:
    """A worker of this machine, or of the one that it is named after."""

    def __init__(self, web: Web, machine: str = HERE) -> None:
        self.web = web
        self.credential, self.text = admit_machine(machine=machine)

    def put(
        self,
        claim: Claim,
        content: Any = FILE,
        name: str = "poster.webp",
        *,
        fence: int | None = None,
        **headers: str,
    ) -> Said:
        usual = {**self.proof, "Content-Digest": digest_of(FILE)}
        if isinstance(content, bytes):
            usual["Content-Digest"] = digest_of(content)
        path = f"{place(claim, fence)}/made/{name}"
        return self.web.ask("PUT", path, content, **(usual | headers))

    def get(self, claim: Claim, sha256: str) -> Said:
        return self.web.ask("GET", f"{place(claim)}/needed/{sha256}", **self.proof)

    @property
    def proof(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}


def place(claim: Claim, fence: int | None = None) -> str:
    return f"/worker/attempts/{claim.attempt_id}/{claim.fence if fence is None else fence}"


def kept(web: Web, claim: Claim) -> Path:
    return web.media / f"{claim.job.queued_at:%Y/%m}" / str(claim.attempt_id)


def written(web: Web, claim: Claim) -> list[Path]:
    """Every file of this attempt on the web's disk, hidden ones too."""
    found = [path for path in web.media.rglob("*") if path.is_file()]
    return [path for path in found if str(claim.attempt_id) in str(path)]


@pytest.fixture
def sender(web: Web, transactional_db: None) -> Sender:
    return Sender(web)


@pytest.fixture
def claim(tester: Member) -> Claim:
    return a_claim(tester)


def test_a_file_of_a_running_attempt_is_kept_at_its_place(
    sender: Sender, web: Web, claim: Claim
) -> None:
    said = sender.put(claim)
    assert (said.status, said.content) == (201, b"")
    assert (kept(web, claim) / "poster.webp").read_bytes() == FILE
    assert written(web, claim) == [kept(web, claim) / "poster.webp"]


def test_the_same_file_once_more_is_fine_and_another_is_refused(
    sender: Sender, web: Web, claim: Claim
) -> None:
    assert [sender.put(claim).status for _ in range(2)] == [201, 200]
    other = sender.put(claim, b"another")
    assert (other.status, other.code) == (409, "file_differs")
    assert (kept(web, claim) / "poster.webp").read_bytes() == FILE
    assert len(written(web, claim)) == 1


def test_a_web_says_whose_credential_it_was_shown(sender: Sender, web: Web) -> None:
    said = web.ask("GET", "/worker/me", **sender.proof)
    assert said.status == 200
    assert f'"machine": "{HERE}"'.encode() in said.content
    assert said.headers["cache-control"] == "no-store"
    assert web.ask("POST", "/worker/me", b"", **sender.proof).status == 405


def test_the_last_use_of_a_credential_is_noted(
    sender: Sender, web: Web, clock: Clock, claim: Claim
) -> None:
    assert sender.credential.last_used_at is None
    sender.put(claim)
    first = WorkerCredential.objects.get().last_used_at
    sender.put(claim)
    assert WorkerCredential.objects.get().last_used_at == first
    clock.advance(minutes=16)
    sender.put(claim)
    assert WorkerCredential.objects.get().last_used_at > first


def test_nobody_without_a_worker_credential_gets_in(
    sender: Sender, web: Web, tester: Member, claim: Claim
) -> None:
    revoked = Sender(web)
    revoke_worker_credential(credential=revoked.credential)
    signs = list(sender.text)
    signs[30], signs[31] = signs[31], signs[30]
    bearers = [revoked.text, tester.token(), "".join(signs), "grm_w_", ""]
    answers = [sender.put(claim, Authorization=f"Bearer {one}") for one in bearers]
    assert [(one.status, one.code) for one in answers] == [(401, "not_signed_in")] * len(bearers)
    assert web.ask("GET", "/worker/me").status == 401
    assert written(web, claim) == []


def test_a_worker_credential_opens_nothing_of_the_api(sender: Sender, web: Web) -> None:
    for path in ("/api/v1/jobs", "/api/v1/devices", "/events"):
        assert web.ask("GET", path, **sender.proof).status == 401


def test_an_attempt_of_another_machine_looks_absent(web: Web, claim: Claim) -> None:
    stranger = Sender(web, "another-machine")
    foreign = stranger.put(claim)
    absent = stranger.put(replace(claim, attempt_id=new_id()))
    assert (foreign.status, foreign.content) == (absent.status, absent.content)
    assert foreign.code == "not_found"
    assert written(web, claim) == []


def lease_over(claim: Claim, clock: Clock) -> None:
    clock.advance(seconds=31)


def taken_by_the_watchdog(claim: Claim, clock: Clock) -> None:
    lose_attempt(claim, code="worker_stalled")


def claimed_again(claim: Claim, clock: Clock) -> None:
    lose_attempt(claim, code="worker_stalled")
    assert claim_next_job(lanes=[claim.job.lane], worker=this_worker())


@pytest.mark.parametrize("loss", [lease_over, taken_by_the_watchdog, claimed_again])
def test_an_attempt_that_lost_its_job_brings_nothing(
    loss: Callable[..., None], sender: Sender, web: Web, claim: Claim, clock: Clock
) -> None:
    loss(claim, clock)
    said = sender.put(claim)
    assert (said.status, said.code) == (409, "lease_lost")
    assert written(web, claim) == []


def test_a_fence_that_is_not_the_attempts_brings_nothing(
    sender: Sender, web: Web, claim: Claim
) -> None:
    for fence in (claim.fence - 1, claim.fence + 1):
        assert sender.put(claim, fence=fence).code == "lease_lost"
    assert written(web, claim) == []


class Begun:
    """An upload of which only the beginning was sent."""

    def __init__(self, sender: Sender, claim: Claim, content: bytes = FILE) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", sender.web.port, timeout=60)
        self.line.putrequest("PUT", f"{place(claim)}/made/poster.webp")
        for name, value in sender.proof.items():
            self.line.putheader(name, value)
        self.line.putheader("Content-Digest", digest_of(content))
        self.line.putheader("Content-Length", str(len(content)))
        self.line.endheaders()
        self.line.send(content[:1000])
        self.rest = content[1000:]

    def end(self) -> Said:
        self.line.send(self.rest)
        answer = self.line.getresponse()
        said = Said(answer.status, {}, answer.read())
        self.line.close()
        return said

    def cut(self) -> None:
        assert self.line.sock is not None
        self.line.sock.shutdown(socket.SHUT_RDWR)
        self.line.close()


def test_a_cut_line_leaves_nothing(sender: Sender, web: Web, claim: Claim) -> None:
    begun = Begun(sender, claim)
    wait_until(lambda: list(web.media.glob(f"*/*/.partial-{claim.attempt_id}-*")))
    assert not kept(web, claim).exists(), "nothing is seen before it is whole"
    begun.cut()
    wait_until(lambda: not list(web.media.glob("*/*/.partial-*")))
    assert not kept(web, claim).exists()
    assert sender.put(claim).status == 201


def test_a_lease_that_ends_in_mid_upload_ends_the_upload(
    sender: Sender, web: Web, claim: Claim, clock: Clock
) -> None:
    begun = Begun(sender, claim)
    wait_until(lambda: list(web.media.glob("*/*/.partial-*")))
    clock.advance(seconds=31)
    said = begun.end()
    assert (said.status, said.code) == (409, "lease_lost")
    assert written(web, claim) == []


def test_a_credential_that_is_revoked_in_mid_upload_ends_the_upload(
    sender: Sender, web: Web, claim: Claim
) -> None:
    begun = Begun(sender, claim)
    wait_until(lambda: list(web.media.glob("*/*/.partial-*")))
    revoke_worker_credential(credential=sender.credential)
    assert begun.end().status == 404
    assert written(web, claim) == []


def test_the_same_file_twice_at_once_stands_there_once(
    sender: Sender, web: Web, claim: Claim
) -> None:
    both = [Begun(sender, claim), Begun(sender, claim)]
    wait_until(lambda: len(list(web.media.glob("*/*/.partial-*"))) == 2)
    assert [one.end().status for one in both] == [201, 201]
    assert written(web, claim) == [kept(web, claim) / "poster.webp"]


def test_another_file_that_comes_second_at_once_is_refused(
    sender: Sender, web: Web, claim: Claim
) -> None:
    first, second = Begun(sender, claim), Begun(sender, claim, b"another" * 2000)
    wait_until(lambda: len(list(web.media.glob("*/*/.partial-*"))) == 2)
    assert first.end().status == 201
    said = second.end()
    assert (said.status, said.code) == (409, "file_differs")
    assert (kept(web, claim) / "poster.webp").read_bytes() == FILE


def test_what_is_not_what_its_digest_says_is_not_kept(
    sender: Sender, web: Web, claim: Claim
) -> None:
    said = sender.put(claim, FILE[:-1] + b"!", Content_Digest=digest_of(FILE))
    assert (said.status, said.code) == (422, "digest_wrong")
    assert written(web, claim) == []


@pytest.mark.parametrize(
    "header", ["", "sha-256=:short:", "md5=:AAAA:", f"{digest_of(b'1')}, {digest_of(b'2')}"]
)
def test_a_file_without_one_digest_is_refused(
    header: str, sender: Sender, web: Web, claim: Claim
) -> None:
    said = sender.put(claim, Content_Digest=header)
    assert (said.status, said.code) == (400, "digest_missing")
    assert written(web, claim) == []


def test_a_file_of_no_known_length_is_refused(sender: Sender, web: Web, claim: Claim) -> None:
    said = sender.put(claim, iter([FILE]))  # chunked
    assert (said.status, said.code) == (411, "length_missing")
    assert written(web, claim) == []


def test_a_file_above_its_limit_is_refused_before_it_comes(
    sender: Sender, web: Web, claim: Claim
) -> None:
    line = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    line.putrequest("PUT", f"{place(claim)}/made/sheet.vtt")
    line.putheader("Authorization", f"Bearer {sender.text}")
    line.putheader("Content-Digest", digest_of(FILE))
    line.putheader("Content-Length", str(2**20 + 1))
    line.endheaders()
    answer = line.getresponse()
    assert answer.status == 413
    line.close()
    assert written(web, claim) == []


@pytest.mark.parametrize(
    "name", ["evil.sh", "..", "../clip.mp4", "..%2fclip.mp4", "%2e%2e/clip.mp4", "clip.mp4/x", ""]
)
def test_only_the_files_of_a_clip_have_a_place(
    name: str, sender: Sender, web: Web, claim: Claim
) -> None:
    before = sorted(web.folder.rglob("*"))
    assert sender.put(claim, name=name).status == 404
    assert sorted(web.folder.rglob("*")) == before


def test_what_is_made_is_only_brought_and_what_is_needed_only_fetched(
    sender: Sender, web: Web, claim: Claim
) -> None:
    asked = web.ask("GET", f"{place(claim)}/made/poster.webp", **sender.proof)
    assert (asked.status, asked.headers["allow"]) == (405, "PUT")
    asked = web.ask("PUT", f"{place(claim)}/needed/{'ab' * 32}", b"", **sender.proof)
    assert (asked.status, asked.headers["allow"]) == (405, "GET, HEAD")


def test_a_full_disk_is_said_and_leaves_nothing(sender: Sender, web: Web, claim: Claim) -> None:
    web.limit_files(len(FILE) - 1)
    try:
        said = sender.put(claim)
    finally:
        web.limit_files(2**40)
    assert (said.status, said.code) == (507, "storage_full")
    assert written(web, claim) == []
    assert sender.put(claim).status == 201


def test_a_large_file_is_never_whole_in_memory(sender: Sender, web: Web, claim: Claim) -> None:
    block, blocks = bytes(2**20), 160
    sender.put(claim)  # whatever the first upload brings in
    before = web.memory_peak()
    content = block * blocks
    assert sender.put(claim, content, "clip.mp4").status == 201
    assert web.memory_peak() - before < 40 * 2**20
    assert (kept(web, claim) / "clip.mp4").stat().st_size == len(content)


# What an order needs ---------------------------------------------------------------------------


def a_still(web: Web, reference: Reference, content: bytes) -> ReferenceStill:
    key = f"references/{reference.id}/0.png"
    (web.media / key).parent.mkdir(parents=True)
    (web.media / key).write_bytes(content)
    return ReferenceStill.objects.create(
        reference=reference,
        frame=0,
        sha256=bytes(reference.id.bytes * 2).hex(),
        bytes=len(content),
        width=64,
        height=48,
        storage_key=key,
    )


@pytest.fixture
def pictured(web: Web, tester: Member) -> tuple[Job, ReferenceStill]:
    a_model(modes=["text", "image"], most_conditions=1)
    reference = a_reference(tester)
    still = a_still(web, reference, b"a picture")
    wished = WishedCondition(shown("reference", reference.id))
    return a_job(tester, conditions=(wished,)), still


def test_a_worker_is_given_the_pictures_of_its_order_and_no_others(
    sender: Sender, web: Web, tester: Member, pictured: tuple[Job, ReferenceStill]
) -> None:
    job, still = pictured
    other = a_still(web, a_reference(tester), b"another picture")
    claim = claim_next_job(lanes=[job.lane], worker=this_worker())
    assert claim
    given = sender.get(claim, still.sha256)
    assert (given.status, given.content) == (200, b"a picture")
    assert given.headers["cache-control"] == "private, no-store"
    assert sender.get(claim, other.sha256).status == 404
    assert Sender(web, "another-machine").get(claim, still.sha256).status == 404


def test_nothing_is_given_once_the_lease_is_over(
    sender: Sender, clock: Clock, pictured: tuple[Job, ReferenceStill]
) -> None:
    job, still = pictured
    claim = claim_next_job(lanes=[job.lane], worker=this_worker())
    assert claim
    clock.advance(seconds=31)
    assert sender.get(claim, still.sha256).code == "lease_lost"
