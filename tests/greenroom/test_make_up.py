"""What `make up` runs, whole: ready, healed after every kill, stopped without a trace."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenroom.embedded import processes
from stage.houses import READY_LIMIT_S, OwnHouse, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[OwnHouse]:
    made = OwnHouse(tmp_path / "var")
    yield made
    made.end()


def test_one_command_starts_heals_and_stops_everything(stage: OwnHouse) -> None:
    parent = stage.start()
    until(lambda: "Greenroom is ready at" in stage.said or stage.is_ready(), READY_LIMIT_S)
    until(lambda: f"Greenroom is ready at http://localhost:{stage.port}" in stage.said)
    people = json.loads((stage.folder / "demo.json").read_text())["people"]
    assert (stage.folder / "demo.json").stat().st_mode & 0o777 == 0o600
    assert all(person["email"] in stage.said for person in people)
    until(lambda: stage.pid("render") and stage.pid("house") and stage.pid("beat"))

    second = stage.start()
    assert second.wait(60) == 1
    assert f"already running at http://localhost:{stage.port}" in stage.said
    stage.started.pop()

    for name in ("web", "render", "house", "beat", "database"):
        before = stage.pid(name)
        os.kill(before, signal.SIGKILL)
        until(lambda name=name, before=before: stage.pid(name) not in (0, before))
    before = stage.postmaster()
    os.kill(before, signal.SIGKILL)
    until(stage.is_ready, 120)
    assert stage.postmaster() != before

    children = [stage.pid(name) for name in ("web", "render", "house", "beat", "database")]
    parent.kill()
    parent.wait()
    until(lambda: not any(processes.living(pid) for pid in children))

    again = stage.start()
    until(lambda: len(re.findall("Greenroom is ready", stage.said)) == 2, READY_LIMIT_S)
    postmaster = stage.postmaster()
    again.send_signal(signal.SIGINT)
    assert again.wait(120) == 0
    assert processes.living(postmaster) is None
    assert not any(_belongs(each.pid, stage.folder) for each in processes.everyone())


def _belongs(pid: int, folder: Path) -> bool:
    environment = processes.environment(pid)
    return pid != os.getpid() and environment.get("GREENROOM_VAR") == str(folder)
