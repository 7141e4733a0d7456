"""What `make up` runs, whole, in a folder of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from greenroom.checkout import CHECKOUT
from stage.network import free_port

READY_LIMIT_S = 180
OWN = ("GREENROOM_", "DATABASE_", "CELERY_")


class OwnHouse:
    """One installation in a folder of its own, with as many starts as the story needs."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.started: list[subprocess.Popen[str]] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
        self.environment = {
            **clean,
            "GREENROOM_VAR": str(folder),
            "PORT": str(self.port),
            **environment,
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
        until(lambda: self.start("reset").wait() == 0)


def until(met: Callable[[], object], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
