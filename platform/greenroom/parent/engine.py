"""Brings the video engine in while the web already answers: packages, then a clip to try it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from greenroom.checkout import CHECKOUT

from .child import Program, end_group, launch
from .steps import MANAGE, is_trial

STOP_LIMIT_S = 5.0
PINS = CHECKOUT / "requirements" / "render.txt"


def missing_packages(pins: Path = PINS) -> list[str]:
    """Pinned packages not installed in that version; a local build (+cpu, +cu130) counts."""
    wanted = [line.strip().split("==") for line in pins.read_text(encoding="utf-8").splitlines()]
    return [words[0] for words in wanted if len(words) > 1 and _installed(words[0]) != words[1]]


class EngineSetup:
    """Call `tend` often after `begin`. `changed` is called when it was installed just now."""

    def __init__(
        self, logs: Path, tell: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self._log = logs / "engine-install.log"
        self._tell = tell
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._then: Callable[[int], None] = lambda _status: None
        self._installed_now = False

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def begin(self) -> None:
        if not missing_packages():
            self._try_model()
            return
        self._tell(
            f"Installing the video engine; the still engine serves until then. Log: {self._log}"
        )
        command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install")
        self._run((*command, "--progress-bar=off", "-r", str(PINS)), self._after_install)

    def tend(self) -> None:
        if self._process is None or self._process.poll() is None:
            return
        status, self._process = self._process.returncode, None
        self._then(status)

    def stop(self) -> None:
        if self._process:
            end_group(self._process.pid, signal.SIGINT)  # pip then clears its temporary files
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_LIMIT_S)
            end_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _after_install(self, status: int) -> None:
        if status:
            self._tell(
                f"The video engine could not be installed (see {self._log}). "
                "The still engine goes on serving; the next start tries again."
            )
            return
        self._installed_now = True
        self._try_model()

    def _try_model(self) -> None:
        if is_trial():
            self._run((*MANAGE, "model", "demo"), self._after_model)
        else:
            self._after_model(0)

    def _after_model(self, status: int) -> None:
        if status:
            self._tell(f"The model that comes along did not pass its try here (see {self._log}).")
        if self._installed_now:
            self._tell("The video engine is installed.")
            self._changed()

    def _run(self, command: tuple[str, ...], then: Callable[[int], None]) -> None:
        # Nice: pip unpacks gigabytes while somebody makes a first clip on the same two cores.
        self._process = launch(Program("engine", command, niceness=10), self._log)
        self._then = then


def _installed(name: str) -> str | None:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None
