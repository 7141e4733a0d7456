"""A clip ordered over the API and made by a worker that shares no folder with the web."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generation.machines.commands import admit_machine
from generation.placement.models import Device
from generation.worker.identity import this_worker
from greenroom.checkout import CHECKOUT
from greenroom.embedded.processes import die_with_parent
from stage.builders import a_model
from stage.cast import Member
from stage.database import Database
from stage.together import wait_until
from stage.web import Web, a_web

pytestmark = [pytest.mark.slow, pytest.mark.race, pytest.mark.django_db(transaction=True)]

ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": 1, "seed": 7}


@pytest.fixture
def here(transactional_db: None, database: Database, tmp_path: Path) -> Iterator[Web]:
    made = a_web(database, tmp_path / "here")
    made.environment["CELERY_BROKER_URL"] = ""  # files, which here stand for a broker's server
    made.start()
    yield made
    made.stop()


@pytest.fixture
def worker(here: Web, database: Database, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """As an operator starts it: Celery's worker, with the folders of another machine."""
    _credential, text = admit_machine(machine=this_worker().host)
    environment = {
        **here.environment,
        "GREENROOM_MEDIA": str(tmp_path / "there" / "media"),
        "GREENROOM_MODELS": str(tmp_path / "there" / "models"),
        "GREENROOM_FILES_ADDRESS": here.address,
        "GREENROOM_WORKER_CREDENTIAL": text,
    }
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "greenroom.parent.worker", "render", "1"],
            cwd=CHECKOUT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_clip_is_ordered_made_elsewhere_and_watched_here(
    here: Web, worker: subprocess.Popen[bytes], tester: Member, tmp_path: Path
) -> None:
    a_model()
    proof = {"Authorization": f"Bearer {tester.token()}"}

    def asked(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body)
        said = here.ask(method, path, content, **proof, Content_Type="application/json")
        assert said.status in (200, 201), said.content
        return json.loads(said.content)

    job = asked("POST", "/api/v1/jobs", ORDER)

    def is_finished() -> bool:
        assert worker.poll() is None, (tmp_path / "worker.log").read_text()[-3000:]
        return bool(asked("GET", f"/api/v1/jobs/{job['id']}")["state"] == "finished")

    wait_until(is_finished)
    clip = asked("GET", f"/api/v1/jobs/{job['id']}")["clip"]
    renditions = {one["kind"]: one for one in asked("GET", f"/api/v1/clips/{clip}")["renditions"]}
    assert set(renditions) == {"master", "poster", "sprite", "index", "proxy"}
    for one in renditions.values():
        whole = here.ask("GET", one["url"], **proof)
        part = here.ask("GET", one["url"], Range="bytes=10-19", **proof)
        assert (whole.status, len(whole.content)) == (200, one["bytes"])
        assert (part.status, part.content) == (206, whole.content[10:20])
        assert whole.headers["etag"].strip('"') == one["sha256"]

    assert Device.objects.get().machine == this_worker().host
    there = tmp_path / "there"
    wait_until(lambda: not [path for path in there.rglob("*") if path.is_file()])
    said = (tmp_path / "worker.log").read_text()
    assert "grm_w_" not in said
    assert "grm_w_" not in Path(f"/proc/{worker.pid}/cmdline").read_text()
