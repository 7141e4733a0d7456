"""A worker on another machine than the web: another media folder, files over HTTP, and what may
happen to the line between them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from chaos.conftest import Crew, wait_until
from chaos.test_workers import assert_everything_adds_up, job_now
from PIL import Image

from core.clock import now
from core.ids import shown
from generation.clips.models import Clip
from generation.jobs.commands import cancel_job
from generation.jobs.conditions import WishedCondition
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.machines.commands import admit_machine, revoke_worker_credential
from generation.machines.models import WorkerCredential
from generation.media.decoding import frames_of
from generation.references.models import ReferenceStill
from generation.worker.identity import started_at
from generation.worker.watchdog import sweep_stray_files, watch_leases
from stage.builders import a_job, a_model, a_reference
from stage.cast import Member
from stage.clock import Clock
from stage.database import Database
from stage.web import Line, Web, a_web

pytestmark = [pytest.mark.slow, pytest.mark.race, pytest.mark.django_db(transaction=True)]

MACHINE = "gpu-room"
THERE = f"{MACHINE}:1"
IN_MID_FILE = 1_500  # the head of a request and a part of the smallest clip


@dataclass
class Elsewhere:
    """A web here, a crew there, and the line between them."""

    web: Web
    line: Line
    crew: Crew
    credential: WorkerCredential

    def hire(self, **wishes: Any) -> int:
        return self.crew.hire(machine=THERE, **wishes)

    @property
    def carried(self) -> list[Path]:
        return list((self.crew.media / "carried").glob("*"))

    def log(self) -> str:
        return self.crew.log.read_text()


@pytest.fixture
def elsewhere(
    transactional_db: None, database: Database, tmp_path: Path, settings: Any
) -> Iterator[Elsewhere]:
    web = a_web(database, tmp_path / "here")
    settings.MEDIA_FOLDER = web.media
    web.start()
    line = Line(web.port)
    credential, text = admit_machine(machine=MACHINE)
    (tmp_path / "credential").write_text(f"{text}\n")
    there = tmp_path / "there"
    environment = {
        **database.environment(),
        "GREENROOM_MEDIA": str(there / "media"),
        "GREENROOM_MODELS": str(there / "models"),
        "GREENROOM_FILES_ADDRESS": line.address,
        "GREENROOM_WORKER_CREDENTIAL_FILE": str(tmp_path / "credential"),
    }
    crew = Crew(environment, there / "media", tmp_path / "renderers.log")
    yield Elsewhere(web, line, crew, credential)
    crew.leave()
    line.end()
    web.stop()


def is_finished(job: Job) -> bool:
    found = job_now(job)
    assert found.state != State.FAILED, found.failure_code
    return bool(found.state == State.FINISHED)


def file_of(job: Job, kind: str) -> Any:
    return Clip.objects.get(job=job).renditions.get(kind=kind)


def a_picture(member: Member, web: Web) -> tuple[WishedCondition, ReferenceStill]:
    """A red one, with its decoded copy on the web's disk alone."""
    reference = a_reference(member)
    written = io.BytesIO()
    Image.new("RGB", (128, 96), "red").save(written, "PNG")
    key = f"references/{reference.id}/0.png"
    (web.media / key).parent.mkdir(parents=True)
    (web.media / key).write_bytes(written.getvalue())
    still = ReferenceStill.objects.create(
        reference=reference,
        frame=0,
        sha256=hashlib.sha256(written.getvalue()).hexdigest(),
        bytes=len(written.getvalue()),
        width=128,
        height=96,
        storage_key=key,
    )
    return WishedCondition(shown("reference", reference.id)), still


def assert_the_web_has_it_whole(elsewhere: Elsewhere, job: Job) -> None:
    clip = Clip.objects.get(job=job)
    for one in clip.renditions.all():
        content = (elsewhere.web.media / one.storage_key).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one.sha256
    assert clip.renditions.count() == 5


def test_a_clip_made_elsewhere_is_served_here_and_nothing_of_it_stays_there(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model(modes=["text", "image"], most_conditions=1)
    wished, _still = a_picture(tester, elsewhere.web)
    elsewhere.hire()
    job = a_job(tester, conditions=(wished,))
    wait_until(lambda: is_finished(job))

    assert_the_web_has_it_whole(elsewhere, job)
    master = file_of(job, "master")
    content = (elsewhere.web.media / master.storage_key).read_bytes()
    path = f"/media/{shown('rendition', master.id)}"
    proof = {"Authorization": f"Bearer {tester.token()}"}
    whole = elsewhere.web.ask("GET", path, **proof)
    part = elsewhere.web.ask("GET", path, Range="bytes=100-199", **proof)
    assert (whole.status, whole.content) == (200, content)
    assert (part.status, part.content) == (206, content[100:200])
    first = next(iter(frames_of(elsewhere.web.media / master.storage_key)))
    assert np.asarray(first)[:40].mean(axis=(0, 1))[0] > 200, "it shows the picture it fetched"

    wait_until(lambda: not elsewhere.carried)
    assert [path for path in elsewhere.crew.media.rglob("*") if path.is_file()] == []
    assert Attempt.objects.get().on_device.machine == MACHINE
    elsewhere.credential.refresh_from_db()
    assert elsewhere.credential.last_used_at
    assert "grm_w_" not in elsewhere.log() + (elsewhere.web.folder / "web.log").read_text()
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_line_that_is_cut_in_mid_file_is_tried_again(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    elsewhere.line.most_bytes = IN_MID_FILE
    elsewhere.hire()
    job = a_job(tester)
    assert elsewhere.line.at_the_limit.wait(60)
    wait_until(lambda: '"web_away"' in elsewhere.log())
    elsewhere.line.most_bytes = None
    wait_until(lambda: is_finished(job))
    assert_the_web_has_it_whole(elsewhere, job)
    wait_until(lambda: not _partials(elsewhere.web))
    assert job_now(job).attempts == 1
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_web_that_is_down_for_a_while_costs_nothing(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    elsewhere.line.most_bytes, elsewhere.line.holds = IN_MID_FILE, True
    elsewhere.hire()
    job = a_job(tester)
    assert elsewhere.line.at_the_limit.wait(60)
    elsewhere.web.stop()
    elsewhere.line.most_bytes, elsewhere.line.holds = None, False
    wait_until(lambda: '"web_away"' in elsewhere.log())
    began = now()
    wait_until(lambda: job_now(job).lease_until > began + timedelta(seconds=31))
    elsewhere.web.start()
    wait_until(lambda: is_finished(job))
    assert job_now(job).attempts == 1
    assert_the_web_has_it_whole(elsewhere, job)
    # What the web that was killed had begun: nobody sees it, and the sweep takes it.
    wait_until(lambda: sweep_stray_files() >= 0 and not _partials(elsewhere.web))
    assert_everything_adds_up(as_owner, jobs=1)


def _partials(web: Web) -> list[Path]:
    return list(web.media.glob("*/*/.partial-*"))


def test_a_web_that_stays_away_costs_an_attempt_and_nobody_takes_jobs_for_it(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    elsewhere.line.most_bytes, elsewhere.line.holds = IN_MID_FILE, True
    elsewhere.hire(limits={"generation.worker.carrying.AWAY_S": 1.0})
    job = a_job(tester)
    assert elsewhere.line.at_the_limit.wait(60)
    elsewhere.web.stop()
    elsewhere.line.most_bytes, elsewhere.line.holds = None, False

    wait_until(lambda: job_now(job).state == State.QUEUED)
    first = Attempt.objects.get()
    assert (first.outcome, first.code) == ("failed", "web_away")
    wait_until(lambda: '"not_welcome"' in elsewhere.log())
    assert Attempt.objects.count() == 1, "no attempt is begun for a web that is not there"

    elsewhere.web.start()
    wait_until(lambda: is_finished(job))
    assert job_now(job).attempts == 2
    wait_until(lambda: not elsewhere.carried)
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_worker_killed_in_mid_upload_leaves_no_half_file(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any], clock: Clock
) -> None:
    a_model()
    elsewhere.line.most_bytes, elsewhere.line.holds = IN_MID_FILE, True
    worker = elsewhere.hire()
    job = a_job(tester)
    assert elsewhere.line.at_the_limit.wait(60)
    wait_until(lambda: _partials(elsewhere.web))
    elsewhere.crew.kill(worker)

    wait_until(lambda: not _partials(elsewhere.web))
    assert list(elsewhere.web.media.rglob("*.mp4")) == []
    assert elsewhere.carried, "what it made lies there until the next worker looks"
    elsewhere.line.most_bytes, elsewhere.line.holds = None, False
    clock.advance(seconds=31)
    wait_until(watch_leases)

    elsewhere.hire()
    wait_until(lambda: is_finished(job))
    wait_until(lambda: not elsewhere.carried)
    assert_the_web_has_it_whole(elsewhere, job)
    assert Attempt.objects.get(outcome="lost").code == "worker_stalled"
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_cancel_is_heard_while_a_file_is_sent(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    elsewhere.line.most_bytes, elsewhere.line.holds = IN_MID_FILE, True
    elsewhere.hire()
    job = a_job(tester)
    assert elsewhere.line.at_the_limit.wait(60)
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    wait_until(lambda: job_now(job).state == State.CANCELLED)
    wait_until(lambda: not elsewhere.carried)
    assert not Clip.objects.exists()
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_worker_without_a_live_credential_takes_no_job(
    elsewhere: Elsewhere, tester: Member
) -> None:
    a_model()
    revoke_worker_credential(credential=elsewhere.credential)
    elsewhere.hire()
    job = a_job(tester)
    wait_until(lambda: '"not_welcome"' in elsewhere.log())
    assert job_now(job).state == State.QUEUED

    _credential, text = admit_machine(machine=MACHINE)
    Path(elsewhere.crew.environment["GREENROOM_WORKER_CREDENTIAL_FILE"]).write_text(text)
    wait_until(lambda: is_finished(job))  # without a restart


def test_a_worker_with_the_credential_of_another_machine_takes_no_job(
    elsewhere: Elsewhere, tester: Member
) -> None:
    a_model()
    elsewhere.crew.hire(machine="another-machine:1")
    job = a_job(tester)
    wait_until(lambda: "this is the credential of gpu-room" in elsewhere.log())
    assert job_now(job).state == State.QUEUED


def test_a_full_disk_here_fails_the_job_with_everything_back(
    elsewhere: Elsewhere, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    elsewhere.web.limit_files(1_000)
    elsewhere.hire()
    job = a_job(tester)
    wait_until(lambda: job_now(job).state == State.FAILED)
    after = job_now(job)
    assert (after.failure_code, after.reservation.settled) == ("disk_full", 0)
    assert [path for path in elsewhere.web.media.rglob("*") if path.is_file()] == []
    assert_everything_adds_up(as_owner, jobs=1)


def test_a_process_whose_threads_no_longer_turn_ends_itself_on_a_machine_without_a_watchdog(
    elsewhere: Elsewhere, tester: Member, clock: Clock, as_owner: psycopg.Connection[Any]
) -> None:
    a_model()
    seized = elsewhere.hire(seizes=True, limits={"generation.worker.pulse.LIMIT_S": 2.0})
    job = a_job(tester)
    wait_until(lambda: job_now(job).state == State.RUNNING)
    wait_until(lambda: started_at(seized) is None)
    elsewhere.crew.pids.remove(seized)
    assert "Timeout" in elsewhere.log(), "faulthandler says where it stood"

    clock.advance(seconds=31)
    wait_until(watch_leases)
    elsewhere.hire()
    wait_until(lambda: is_finished(job))
    assert_everything_adds_up(as_owner, jobs=1)
