"""A crew of render workers that may be killed, frozen and hired again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from generation.catalogue.models import PriceRow, VideoModel
from generation.jobs.models import Attempt, Job
from generation.worker.identity import started_at
from stage.builders import a_model, a_price
from stage.database import Database

PATIENCE_S = 240
RENDERER = Path(__file__).with_name("renderer.py")


def wait_until(what: Callable[[], Any], *, doing: Callable[[], Any] = lambda: None) -> Any:
    """The first true answer; between looks, ``doing`` goes on."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        doing()
        answer = what()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"it never came: {what}")


@dataclass
class Crew:
    """``hire()`` answers with a process id; nobody leaves but by ``kill``."""

    environment: dict[str, str]
    media: Path
    log: Path
    pids: list[int] = field(default_factory=list)
    _stem: subprocess.Popen[str] | None = None

    def hire(
        self,
        *,
        lease_s: float = 30,
        machine: str | None = None,
        most_bytes: int | None = None,
        device: str = "cpu",
        hangs: bool = False,
        seizes: bool = False,
        limits: dict[str, float] | None = None,
    ) -> int:
        stem = self._stem or self._started()
        assert stem.stdin
        assert stem.stdout
        wish = {
            "lease_s": lease_s,
            "machine": machine,
            "most_bytes": most_bytes,
            "device": device,
            "hangs": hangs or seizes,
            "seizes": seizes,
            "limits": limits or {},
        }
        stem.stdin.write(json.dumps(wish) + "\n")
        stem.stdin.flush()
        pid = int(stem.stdout.readline())
        self.pids.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        self.signal(pid, signal.SIGKILL)
        wait_until(lambda: started_at(pid) is None)
        self.pids.remove(pid)

    def signal(self, pid: int, number: signal.Signals) -> None:
        assert pid in self.pids
        os.kill(pid, number)

    def is_drawing(self, job: Job) -> bool:
        """The attempt that is open is in mid-clip: the hidden file that it writes stands."""
        attempt = Attempt.objects.filter(job=job, ended_at=None).first()
        return bool(attempt) and any(self.media.glob(f"*/*/.partial-{attempt.id}-*/.clip.mp4*"))

    def unfinished(self) -> list[Path]:
        return list(self.media.glob("*/*/.partial-*"))

    def folders(self) -> list[Path]:
        """Of all attempts, whole or not."""
        return [path for path in self.media.glob("*/*/*") if path.is_dir()]

    def _started(self) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            self._stem = subprocess.Popen(
                [sys.executable, RENDERER],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self._stem

    def leave(self) -> None:
        if self._stem:
            self._stem.kill()  # the workers die with it
            self._stem.communicate()
        for pid in self.pids:
            wait_until(lambda pid=pid: started_at(pid) is None)


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_FOLDER = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def crew(transactional_db: None, database: Database, media: Path, tmp_path: Path) -> Iterator[Crew]:
    made = a_crew(database, media, tmp_path)
    yield made
    made.leave()


def a_crew(database: Database, media: Path, folder: Path) -> Crew:
    environment = {**database.environment(), "GREENROOM_MEDIA": str(media)}
    return Crew(environment, media, folder / "renderers.log")


@pytest.fixture
def slow_model(transactional_db: None) -> VideoModel:
    """Its wide clips take a second or two: time to be killed in."""
    return a_slow_model()


def a_slow_model() -> VideoModel:
    model = a_model()
    PriceRow.objects.bulk_create([a_price(model, "standard", 1280, 720, credits_per_second=4)])
    return model
