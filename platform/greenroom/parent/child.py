"""One child process kept alive: in a session of its own, restarted with back-off."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from greenroom.checkout import CHECKOUT
from greenroom.embedded.logfile import opened_log
from greenroom.embedded.processes import die_with_parent

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
STEADY_AFTER_S = 30.0


@dataclass(frozen=True)
class Program:
    """`parent_died` is the signal the kernel sends it when we are killed outright."""

    name: str
    command: tuple[str, ...]
    stop_limit_s: float = 10.0
    parent_died: signal.Signals = signal.SIGKILL
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    niceness: int = 0


def backoff_s(failures: int) -> float:
    """Pause before the next start, after so many short lives in a row."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, 10)))


def launch(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """Start it in a session of its own: Ctrl-C reaches only us, and its kin end with it."""
    with opened_log(log) as output:
        return subprocess.Popen(
            program.command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=program.pass_fds,
            # The parent has no second thread, so running Python between fork and exec is safe here.
            preexec_fn=partial(_before_exec, os.getpid(), program),  # noqa: PLW1509
        )


def end_group(pid: int, number: signal.Signals) -> None:
    """Signal a whole session's first process group, its leader and what the leader started."""
    with suppress(ProcessLookupError):  # nobody is left in it
        os.killpg(pid, number)


class Child:
    """Call `tend` a few times a second; `now` is monotonic seconds."""

    def __init__(self, program: Program, log: Path, tell: Callable[[str], None]) -> None:
        self.program = program
        self.log = log
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._next_start_at = 0.0
        self.failures = 0  # short lives in a row
        self._stop_by: float | None = None
        self._restart_asked = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        return self._process is not None

    def tend(self, now: float) -> None:
        if self._process is None:
            if now >= self._next_start_at:
                self._start(now)
        elif self._process.poll() is not None:
            self._ended(now)
        elif self._is_overdue(now):
            self.kill()

    def restart(self, now: float, limit_s: float) -> None:
        """Let it finish what it does, for so long; `tend` starts it again at once."""
        if self._process:
            self._restart_asked = True
            self._ask(now, limit_s)

    def ask_to_stop(self, now: float) -> None:
        if self._process:
            self._ask(now, self.program.stop_limit_s)

    def has_stopped(self, now: float) -> bool:
        """While stopping: whether it is gone; one that takes too long is killed."""
        if self._process is None:
            return True
        if self._process.poll() is None:
            if self._is_overdue(now):
                self.kill()
            return False
        end_group(self._process.pid, signal.SIGKILL)
        self._process = None
        return True

    def kill(self) -> None:
        if self._process:
            end_group(self._process.pid, signal.SIGKILL)

    def _ask(self, now: float, limit_s: float) -> None:
        assert self._process
        self._stop_by = now + limit_s
        self._process.terminate()

    def _is_overdue(self, now: float) -> bool:
        return self._stop_by is not None and now > self._stop_by

    def _start(self, now: float) -> None:
        self._stop_by = None
        self._restart_asked = False
        self._started_at = now
        self._process = launch(self.program, self.log)

    def _ended(self, now: float) -> None:
        assert self._process
        status = self._process.returncode
        end_group(self._process.pid, signal.SIGKILL)  # what it started must not outlive it
        self._process = None
        if self._restart_asked:
            self._next_start_at = now
            return
        self.failures = 0 if now - self._started_at > STEADY_AFTER_S else self.failures + 1
        pause = backoff_s(max(0, self.failures - 1))
        self._next_start_at = now + pause
        self._tell(
            f"{self.program.name} ended ({ending(status)}); it starts again in {pause:g} s. "
            f"Its log: {self.log}"
        )


def ending(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit {status}"


def _before_exec(parent: int, program: Program) -> None:
    die_with_parent(program.parent_died)
    if os.getppid() != parent:
        os._exit(1)  # the parent was killed before the kernel knew of the wish above
    os.nice(program.niceness)
