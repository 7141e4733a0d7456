"""A web process as it runs in production, on the test's own database, that may be stopped and
started again; and a line to it that may be cut or held."""

from __future__ import annotations

import hashlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from generation.machines.rules import content_digest
from greenroom.checkout import CHECKOUT
from greenroom.embedded.processes import die_with_parent
from stage.database import Database
from stage.network import free_port
from stage.together import wait_until

BLOCK = 16 * 1024


@dataclass(frozen=True)
class Said:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.content)["code"])


@dataclass
class Web:
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def media(self) -> Path:
        return self.folder / "media"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["-m", "uvicorn", "greenroom.asgi:application", "--port", str(self.port)]
        words += ["--http", "greenroom.router.wire:Bounded", "--log-level", "warning"]
        with (self.folder / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=CHECKOUT,
                env={
                    **self.environment,
                    "GREENROOM_MEDIA": str(self.media),
                    "GREENROOM_MODELS": str(self.models),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        wait_until(self._is_ready)

    def stop(self) -> None:
        """At once, as a machine goes down."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def limit_files(self, most_bytes: int) -> None:
        """A disk that takes no more than this, as far as a process can tell."""
        assert self.process is not None
        resource.prlimit(
            self.process.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY)
        )

    def memory_peak(self) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            line.request(method, path, body=body, headers=named)
            answer = line.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Said(answer.status, found, answer.read())
        finally:
            line.close()

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "web.log").read_text()[-3000:]
        try:
            return self.ask("GET", "/health/ready").status == 200
        except OSError:
            time.sleep(0.1)
            return False


def digest_of(content: bytes) -> str:
    return content_digest(hashlib.sha256(content).digest())


class Line:
    """A relay to a web: what a worker calls the web's address, so that a test may harm it.

    ``most_bytes`` of what a worker says pass through one connection; then it is ``cut``, or held
    where ``holds``. None: everything passes.
    """

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.most_bytes: int | None = None
        self.holds = False
        self.at_the_limit = threading.Event()
        self.connections = 0
        self._there = port
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.1)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                here, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._relay, args=[here], daemon=True).start()

    def _relay(self, here: socket.socket) -> None:
        with here, suppress(OSError):
            there = socket.create_connection(("127.0.0.1", self._there), timeout=30)
            with there:
                back = threading.Thread(target=_copy, args=[there, here], daemon=True)
                back.start()
                if self._passed(here, there):
                    there.shutdown(socket.SHUT_WR)
                    back.join()
                else:  # a close alone would wait for the thread that reads
                    for end in (here, there):
                        with suppress(OSError):
                            end.shutdown(socket.SHUT_RDWR)

    def _passed(self, here: socket.socket, there: socket.socket) -> bool:
        """False where the line was cut on the way."""
        passed = 0
        while block := here.recv(BLOCK):
            most = self.most_bytes
            if most is not None and passed + len(block) > most:
                there.sendall(block[: max(0, most - passed)])
                self.at_the_limit.set()
                while self.holds and not self._over.is_set() and _is_open(here):
                    time.sleep(0.02)
                return False
            there.sendall(block)
            passed += len(block)
        return True


def _is_open(line: socket.socket) -> bool:
    """Whether the other side still holds it: a killed process does not."""
    line.settimeout(0.1)
    try:
        return bool(line.recv(BLOCK))
    except TimeoutError:
        return True
    except OSError:
        return False


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def a_web(database: Database, folder: Path) -> Web:
    for name in ("media", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return Web(folder, database.environment())


@pytest.fixture(scope="session")
def web(
    database: Database, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """One for all tests that leave it as it was."""
    made = a_web(database, tmp_path_factory.mktemp("web"))
    made.start()
    yield made
    made.stop()
