"""What is done once, in order, before the web starts: tables, demonstration, static files."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from greenroom.checkout import CHECKOUT
from greenroom.embedded import database_urls
from greenroom.embedded.logfile import last_lines

from .child import Program, end_group, launch

MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))
OWN_SOURCES = ("platform", "accounts", "generation", "review")


class StepFailed(RuntimeError):
    """The message is for the person at the terminal."""


class Stopping(RuntimeError):
    """Somebody pressed Ctrl-C."""


@dataclass(frozen=True)
class Step:
    sentence: str
    program: Program
    after: Callable[[], object] = lambda: None


def is_demonstration() -> bool:
    """Whether the demonstration's people are to be there; GREENROOM_EMPTY leaves them out."""
    return is_trial() and not os.environ.get("GREENROOM_EMPTY")


def is_trial() -> bool:
    """Somebody tries Greenroom on their own machine, with or without the demonstration."""
    return os.environ.get("GREENROOM_MODE", "demo") == "demo"


def steps(folder: Path) -> Iterator[Step]:
    if not database_urls().is_embedded:  # the embedded one gets its roles whenever it starts
        yield Step("Preparing the database's roles", _manage("db", "roles"))
    # Of Django's checks those that matter here follow, where it is production.
    migrate = ("migrate", "--no-input", "--skip-checks", "-v", "0")
    yield Step("Preparing the tables", _manage(*migrate, role="owner"))
    if os.environ.get("GREENROOM_MODE") == "production":
        words = ("check", "--deploy", "--database", "default", "--fail-level", "ERROR")
        yield Step("Checking the production settings", _manage(*words))
    if is_demonstration():
        yield Step("Preparing the demonstration", _manage("demo", "seed"))
    elif is_trial():
        yield Step("Offering the models that come along", _manage("model", "offer"))
    stamp, sources = folder / "static.stamp", _static_fingerprint()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != sources:
        yield Step(
            "Collecting the static files",
            _manage("collectstatic", "--no-input", "-v", "0", "--ignore=rest_framework"),
            after=partial(stamp.write_text, sources, encoding="utf-8"),
        )


def run_step(step: Step, log: Path, pause: Callable[[], None]) -> None:
    """Raises StepFailed with what the step said last; what `pause` raises ends the step too."""
    before = log.stat().st_size if log.exists() else 0
    process = launch(step.program, log)
    try:
        while process.poll() is None:
            pause()
    except BaseException:
        end_group(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if process.returncode:
        said = last_lines(log) if log.stat().st_size > before else ""
        raise StepFailed(f"{step.sentence} failed. The whole story: {log}\n{said}")
    step.after()


def _manage(*words: str, role: str = "") -> Program:
    environment = {"GREENROOM_DB_ROLE": role} if role else {}
    return Program("set-up", (*MANAGE, *words), environment=environment)


def _static_fingerprint() -> str:
    """Changes with any static file of ours, and with the packages that bring some."""
    digest = hashlib.sha256((CHECKOUT / "requirements" / "web.txt").read_bytes())
    for source in OWN_SOURCES:
        for path in sorted((CHECKOUT / source).glob("**/static/**/*")):
            at = path.stat()
            digest.update(f"{path}:{at.st_size}:{at.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def wait_for(met: Callable[[], bool], limit_s: float, pause: Callable[[], None]) -> bool:
    deadline = time.monotonic() + limit_s
    while not met():
        if time.monotonic() > deadline:
            return False
        pause()
    return True
