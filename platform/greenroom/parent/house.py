"""The loop: prepare, open, tell, tend, close in order. One thread, nothing blocks it long."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from greenroom.embedded import database_urls, embedded_cluster
from greenroom.embedded.logfile import last_lines

from .child import Child, Program
from .engine import EngineSetup
from .register import MARK, Register
from .signs import demonstration_signs, first_signs
from .steps import StepFailed, Stopping, run_step, steps, wait_for

TICK_S = 0.1
DATABASE_LIMIT_S = 150.0
WEB_LIMIT_S = 120.0
# A clip of the still engine takes seconds; a longer one is taken up again by its lease.
RENDER_FINISH_LIMIT_S = 60.0
REMOTE_SLOTS = 8  # each costs two connections of the database and a thread


@dataclass
class House:
    folder: Path
    port: int
    sockets: list[socket.socket]
    register: Register
    tell: Callable[[str], None]
    children: dict[str, Child] = field(default_factory=dict)
    _stop_asked: int = 0
    _mark: str = field(default_factory=partial(secrets.token_hex, 16))
    _written: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._engine = EngineSetup(self.logs, self.tell, self._render_again)

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    def run(self) -> int:
        """Until Ctrl-C or SIGTERM; the exit status."""
        os.environ[MARK] = self._mark
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            self._prepare()
            self._open()
            while True:
                self._pause()
        except Stopping:
            self.tell("Stopping …")
            return 0
        except StepFailed as failure:
            self.tell(str(failure))
            return 1
        finally:
            self.close()

    def _prepare(self) -> None:
        self.logs.mkdir(mode=0o700, exist_ok=True)
        if database_urls().is_embedded:
            self._start_database()
        for step in steps(self.folder):
            self.tell(f"{step.sentence} …")
            run_step(step, self.logs / "set-up.log", self._pause)

    def _start_database(self) -> None:
        self.tell("Starting the database …")
        child = self._add(module("database", "greenroom.parent.database", stop_limit_s=45))
        cluster = embedded_cluster()
        wait_for(
            lambda: cluster.status().is_running or child.failures > 0, DATABASE_LIMIT_S, self._pause
        )
        if not cluster.status().is_running:
            raise StepFailed(f"The database did not start.\n{last_lines(child.log)}")

    def _open(self) -> None:
        handles = tuple(each.fileno() for each in self.sockets)
        self._add(
            module(
                "web", "greenroom.parent.web", *map(str, handles), pass_fds=handles, stop_limit_s=6
            )
        )
        if wait_for(self._web_answers, WEB_LIMIT_S, self._pause):
            self.tell(f"\nGreenroom is ready at http://localhost:{self.port}")
            self.tell(demonstration_signs(self.folder / "demo.json") or first_signs())
        else:
            self.tell(f"The web does not answer yet. Its log: {self.logs / 'web.log'}")
        for program in background_programs(self.folder):
            self._add(program)
        self._engine.begin()

    def _web_answers(self) -> bool:
        """A live answer of the web process itself; its socket alone would accept at any time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health/live", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _add(self, program: Program) -> Child:
        child = Child(program, self.logs / f"{program.name}.log", self.tell)
        self.children[program.name] = child
        return child

    def _pause(self) -> None:
        """One tick. Raises Stopping when somebody has asked for it."""
        if self._stop_asked:
            raise Stopping
        now = time.monotonic()
        for child in self.children.values():
            child.tend(now)
        self._engine.tend()
        self._note_pids()
        time.sleep(TICK_S)

    def _note_pids(self) -> None:
        pids = {name: child.pid for name, child in self.children.items() if child.pid}
        if pids != self._written:
            self.register.write(self._mark, self.port, pids)
            self._written = pids

    def _render_again(self) -> None:
        if render := self.children.get("render"):
            render.restart(time.monotonic(), RENDER_FINISH_LIMIT_S)

    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        self._stop_asked += 1

    def close(self) -> None:
        """Nobody new comes in, then the work ends, then the database. Each has its own limit."""
        self._engine.stop()
        for names in (("web", "beat"), ("render", "remote", "house"), ("database",)):
            self._stop_together(self.children[name] for name in names if name in self.children)
        for each in self.sockets:
            each.close()
        self.register.forget()

    def _stop_together(self, chosen: Iterable[Child]) -> None:
        leaving = list(chosen)
        asked_before = self._stop_asked
        for child in leaving:
            child.ask_to_stop(time.monotonic())
        while leaving := [child for child in leaving if not child.has_stopped(time.monotonic())]:
            if self._stop_asked > asked_before:  # a second Ctrl-C: no more waiting
                for child in leaving:
                    child.kill()
            time.sleep(0.02)


def module(
    name: str,
    where: str,
    *words: str,
    stop_limit_s: float = 10.0,
    pass_fds: tuple[int, ...] = (),
) -> Program:
    # The database's keeper wants a moment to shut the server down; everybody else just ends.
    died = signal.SIGTERM if name == "database" else signal.SIGKILL
    command = (sys.executable, "-m", where, *words)
    return Program(name, command, stop_limit_s, parent_died=died, pass_fds=pass_fds)


def has_remote_models(folder: Path) -> bool:
    """Looked at once, at the start: `remote.json` stands for a model that is rendered elsewhere."""
    models = Path(os.environ.get("GREENROOM_MODELS") or folder / "models")
    return any(models.glob("*/remote.json")) or any(models.glob("*/*/remote.json"))


def background_programs(folder: Path) -> list[Program]:
    """One worker alone may import torch, a second does everything light, beat keeps time. A third
    waits for servers elsewhere, where there is a model of one."""
    waits = [module("remote", "greenroom.parent.worker", "remote", str(REMOTE_SLOTS))]
    return [
        *(waits if has_remote_models(folder) else []),
        # Mail may hold one child, webhooks a second; what is pressed at the desk waits for neither.
        module("house", "greenroom.parent.worker", "house", "3"),
        module("render", "greenroom.parent.worker", "render", "1"),
        module(
            "beat",
            "celery",
            "--app=greenroom.celery",
            "beat",
            f"--schedule={folder / 'beat-schedule'}",
            "--pidfile=",  # the register knows who runs; a stale file would keep beat from starting
            "--loglevel=INFO",
        ),
    ]
