"""One house for all clients: web, workers and database as they run in production, and programs
that know nothing of us, each in an environment of its own (the Makefile makes these)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conformance import line
from conformance.world import World, a_world
from django.conf import settings

from greenroom.checkout import CHECKOUT
from greenroom.embedded.processes import die_with_parent
from stage.database import Database
from stage.web import Web, a_web

HERE = Path(__file__).parent
SDK = HERE / "sdk"
ENVIRONMENTS = CHECKOUT / ".venv/conformance"
PATIENCE_S = 1200  # far beyond any real wait


@dataclass(frozen=True)
class Driver:
    """A program that drives one client, and the checks that it makes of it."""

    name: str
    words: list[str]
    checks: list[str]


def _python(release: str, way: str) -> Driver:
    source = "\n".join(path.read_text() for path in sorted(SDK.glob("*.py")))
    marks = re.findall(r"^@(check|since\(3\))\nasync def (\w+)", source, re.MULTILINE)
    checks = [name for mark, name in marks if mark == "check" or release.startswith("3")]
    words = [str(ENVIRONMENTS / f"openai-{release}/bin/python"), str(SDK / "run.py"), way]
    return Driver(f"python-{release}-{way}", words, checks)


def _javascript() -> Driver:
    source = (SDK / "run.mjs").read_text().partition("const CHECKS = {")[2]
    checks = re.findall(r"^  (?:async )?(\w+)(?:\(\) {|: \(\) =>)", source, re.MULTILINE)
    node = str(ENVIRONMENTS / "node/bin/node")
    return Driver("javascript-6.49", [node, str(SDK / "run.mjs"), str(ENVIRONMENTS / "js")], checks)


DRIVERS = [
    *(_python(release, way) for release in ("2.6", "3.54") for way in ("sync", "async")),
    _javascript(),
]


@dataclass
class House:
    web: Web
    line: line.Server
    ear: line.Server
    world: World
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def known_to(self, driver: Driver) -> dict[str, Any]:
        """What a driver is told before it begins."""
        ear = f"127.0.0.1:{self.ear.server_port}"
        return {
            "name": driver.name,
            "address": self.web.address,
            "harmed": f"http://127.0.0.1:{self.line.server_port}",
            "receiver": f"http://{ear}",
            "received": f"http://{ear}",
            **self.world.known_to(driver.name),
        }


@pytest.fixture(scope="module")
def house(
    database: Database,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    web = a_web(database, tmp_path_factory.mktemp("house"))
    web.environment.pop("CELERY_BROKER_URL")  # as a house has it: below its own var
    usual, settings.MEDIA_FOLDER = settings.MEDIA_FOLDER, web.media
    with ExitStack() as stack:
        stack.callback(setattr, settings, "MEDIA_FOLDER", usual)
        stack.enter_context(django_db_blocker.unblock())
        stack.callback(database.reset)  # everything here is committed, and others come after
        names = [driver.name for driver in DRIVERS]
        world = a_world(database, names, tmp_path_factory.mktemp("pictures"), web.media)
        web.start()
        stack.callback(web.stop)
        harm = stack.enter_context(line.listening(line.a_harmful_line(web.port)))
        ear = stack.enter_context(line.listening(line.an_ear()))
        made = House(web, harm, ear, world)
        schedule = f"--schedule={web.folder / 'beat-schedule'}"
        for name, words in {
            "render": ["greenroom.parent.worker", "render", "1"],
            "house": ["greenroom.parent.worker", "house", "1"],
            "beat": ["celery", "--app=greenroom", "beat", schedule, "--pidfile="],
        }.items():
            made.processes.append(_started(web, name, words))
            stack.callback(_end, made.processes[-1])
        yield made


def _started(web: Web, name: str, words: list[str]) -> subprocess.Popen[bytes]:
    with (web.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=CHECKOUT,
            env={
                **web.environment,
                "GREENROOM_MEDIA": str(web.media),
                "GREENROOM_MODELS": str(web.models),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@dataclass
class Told:
    """What the drivers said of each check, once they all have come to an end."""

    said: dict[str, dict[str, dict[str, Any]]]
    errors: dict[str, str]

    def of(self, driver: str, check: str) -> dict[str, Any]:
        found = self.said[driver].get(check)
        assert found, f"{driver} never came to {check}:\n{self.errors[driver][-3000:]}"
        return found


@pytest.fixture(scope="module")
def told(house: House) -> Told:
    """All at once: each has a tester of its own."""
    running = {driver.name: _begun(house, driver) for driver in DRIVERS}
    said, errors = {}, {}
    for name, process in running.items():
        output, errors[name] = process.communicate(timeout=PATIENCE_S)
        lines = [json.loads(each) for each in output.splitlines()]
        said[name] = {each["check"]: each for each in lines}
    return Told(said, errors)


def _begun(house: House, driver: Driver) -> subprocess.Popen[str]:
    process = begin(driver.words)
    assert process.stdin
    process.stdin.write(json.dumps(house.known_to(driver)))
    process.stdin.close()
    process.stdin = None
    return process


def begin(words: list[str], **environment: str) -> subprocess.Popen[str]:
    """A program in an environment of its own, which knows nothing of this one."""
    assert Path(words[0]).exists(), f"There is no {words[0]}: `make check` installs it."
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        words,
        env={**kept, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )
