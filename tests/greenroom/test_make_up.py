"""What `make up` runs, whole: ready, healed after every kill, stopped without a trace."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greenroom.checkout import CHECKOUT
from greenroom.embedded import processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
READY_LIMIT_S = 180
OWN = ("GREENROOM_", "DATABASE_", "CELERY_")


class Stage:
    """One installation in a folder of its own, with as many starts as the story needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.started: list[subprocess.Popen[str]] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
        self.environment = {
            **clean,
            "GREENROOM_VAR": str(folder),
            "PORT": str(self.port),
            "PYTHONPATH": f"{CHECKOUT / 'platform'}:{CHECKOUT}",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        output = (self.folder.parent / "said.txt").open("a")
        with output:
            process = subprocess.Popen(
                [sys.executable, "-m", "greenroom.parent", *words],
                env=self.environment,
                stdout=output,
                stderr=output,
                text=True,
            )
        self.started.append(process)
        return process

    @property
    def said(self) -> str:
        return (self.folder.parent / "said.txt").read_text()

    def is_ready(self) -> bool:
        assert self.started[-1].poll() is None, self.said
        return self.answers("/health/ready")

    def answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def pid(self, name: str) -> int:
        children = json.loads((self.folder / "parent.json").read_text())["children"]
        return int(children[name][0]) if name in children else 0

    def postmaster(self) -> int:
        place = self.folder / "pg"
        root = Path(place.read_text().strip()) if place.is_file() else place
        return int((root / "data" / "postmaster.pid").read_text().splitlines()[0])

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
        _until(lambda: self.start("reset").wait() == 0)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "var")
    yield made
    made.end()


def test_one_command_starts_heals_and_stops_everything(stage: Stage) -> None:
    parent = stage.start()
    _until(lambda: "Greenroom is ready at" in stage.said or stage.is_ready(), READY_LIMIT_S)
    _until(lambda: f"Greenroom is ready at http://localhost:{stage.port}" in stage.said)
    people = json.loads((stage.folder / "demo.json").read_text())["people"]
    assert (stage.folder / "demo.json").stat().st_mode & 0o777 == 0o600
    assert all(person["email"] in stage.said for person in people)
    _until(lambda: stage.pid("render") and stage.pid("house") and stage.pid("beat"))

    second = stage.start()
    assert second.wait(60) == 1
    assert f"already running at http://localhost:{stage.port}" in stage.said
    stage.started.pop()

    for name in ("web", "render", "house", "beat", "database"):
        before = stage.pid(name)
        os.kill(before, signal.SIGKILL)
        _until(lambda name=name, before=before: stage.pid(name) not in (0, before))
    before = stage.postmaster()
    os.kill(before, signal.SIGKILL)
    _until(stage.is_ready, 120)
    assert stage.postmaster() != before

    children = [stage.pid(name) for name in ("web", "render", "house", "beat", "database")]
    parent.kill()
    parent.wait()
    _until(lambda: not any(processes.living(pid) for pid in children))

    again = stage.start()
    _until(lambda: len(re.findall("Greenroom is ready", stage.said)) == 2, READY_LIMIT_S)
    postmaster = stage.postmaster()
    again.send_signal(signal.SIGINT)
    assert again.wait(120) == 0
    assert processes.living(postmaster) is None
    assert not any(_belongs(each.pid, stage.folder) for each in processes.everyone())


def _belongs(pid: int, folder: Path) -> bool:
    environment = processes.environment(pid)
    return pid != os.getpid() and environment.get("GREENROOM_VAR") == str(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(met: Callable[[], object], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
