"""Starts, watches and stops one PostgreSQL cluster; never because somebody left."""

from __future__ import annotations

import fcntl
import json
import os
import secrets as randomness
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from . import processes
from .account import Account, account_for
from .binaries import Binaries, choose_binaries, made_reachable
from .errors import EmbeddedError, VersionMismatch
from .logfile import last_lines, opened_log
from .places import BINARIES, SOCKET_NAME, Place, make_place, place_of, remove_place
from .roles import APP, DATABASE, OWNER, SUPERUSER, ensure_database

START_LIMIT_S = 120.0  # recovery after a crash replays the log before it lets anybody in
FAST_STOP_S = 30.0
BUILTIN_LOCALE_SINCE = 17
ORPHAN_PATIENCE_S = 5.0
PID_FILE_START, PID_FILE_STATE = 2, 7  # lines of postmaster.pid, counted from 0
CLOCK_TOLERANCE_S = 30.0
# Python complains of a forgotten child that still runs, and outliving us is what a server may do.
_children: list[subprocess.Popen[bytes]] = []
# A throw-away cluster survives a killed server, as others do, but not a machine that loses power.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "10min",
}


@dataclass(frozen=True)
class Status:
    """`pid` is None unless the server accepts connections."""

    pid: int | None
    major: int | None
    root: Path

    @property
    def is_running(self) -> bool:
        return self.pid is not None


@dataclass(frozen=True)
class Recorded:
    """Which process was started as the server: exact, where the pid file has seconds at best."""

    pid: int
    started: str


@dataclass
class Cluster:
    """A cluster by its home. `passwords` of postgres, greenroom_owner and greenroom_app.

    `binaries` None means: the first found (see binaries.py). `settings` are the server's.
    With `dies_with_us` the server shuts down when the thread that started it ends, however it ends.
    """

    home: Path
    passwords: Mapping[str, str] = field(repr=False)
    binaries: Binaries | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    dies_with_us: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @classmethod
    def throwaway(cls, home: Path | None = None, binaries: Binaries | None = None) -> Cluster:
        """A fast cluster with its own passwords, gone with the caller; end with remove()."""
        return cls(
            home=home or Path(tempfile.mkdtemp(prefix="greenroom-", dir="/tmp")),
            passwords={role: randomness.token_urlsafe(12) for role in (SUPERUSER, OWNER, APP)},
            binaries=binaries,
            settings=THROWAWAY_SETTINGS,
            dies_with_us=True,
        )

    def copy_stopped(self, home: Path) -> Cluster:
        """A second cluster from this one's files. Raises EmbeddedError while this one runs."""
        place, target = self.place, make_place(home)
        with _locked(place):
            if self._postmaster(place):
                raise EmbeddedError(f"{place.data} is in use and cannot be copied.")
            shutil.copytree(place.data, target.data, symlinks=True)
        account = account_for(place.data)
        for folder, _, names in os.walk(target.data):
            for name in ("", *names):
                account.give(Path(folder, name))
        return replace(self, home=home)

    @property
    def place(self) -> Place:
        return place_of(self.home)

    @property
    def log_path(self) -> Path:
        return self.log or self.place.root / "postgres.log"

    def url(self, role: str, database: str = DATABASE) -> str:
        return socket_url(self.place, role, self.passwords[role], database)

    def status(self) -> Status:
        place = self.place
        pid = self._postmaster(place)
        ready = pid is not None and _state_line(place) == "ready"
        return Status(pid if ready else None, major_of(place), place.root)

    def start(self) -> None:
        """Make it if need be, start it unless it runs, see that roles and database stand."""
        place = make_place(self.home)
        with _locked(place):
            self._serve(place)
            try:
                self._ensure(DATABASE)
            except EmbeddedError:
                if self._is_still_there(place):
                    raise
                self._serve(place)  # it was killed a moment ago and had looked alive
                self._ensure(DATABASE)

    def create_database(self, name: str) -> None:
        """The roles and a database with their privileges; what stands is left alone."""
        with _locked(self.place):
            self._ensure(name)

    def _serve(self, place: Place) -> None:
        if self._is_serving(place):
            return
        binaries = self._binaries(place)
        if not place.data.exists():
            self._initialise(place, binaries)
        self._launch(place, binaries)

    def _is_still_there(self, place: Place) -> bool:
        time.sleep(0.3)  # a killed process is gone from the socket before it is gone from /proc
        return self._postmaster(place) is not None

    def _ensure(self, name: str) -> None:
        ensure_database(partial(self.url, SUPERUSER), self.passwords, name)

    def stop(self, limit_s: float = FAST_STOP_S) -> None:
        """Fast shutdown, harsher where it takes longer than `limit_s`. Nothing if not running."""
        place = self.place
        if not place.root.exists():
            return
        with _locked(place):
            pid = self._postmaster(place)
            if pid is None:
                return
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                processes.send(pid, number)
                if self._wait_gone(pid, limit_s):
                    return
            raise EmbeddedError(f"PostgreSQL (process {pid}) does not end.")

    def remove(self) -> None:
        """Stop it and delete everything of it, data included."""
        self.stop()
        remove_place(self.place)
        shutil.rmtree(self.home, ignore_errors=True)

    def _binaries(self, place: Place) -> Binaries:
        major = major_of(place)
        chosen = self.binaries or choose_binaries(major)
        if major not in (None, chosen.major):
            raise VersionMismatch(
                f"{place.data} was made by PostgreSQL {major}, and {chosen.folder} is "
                f"PostgreSQL {chosen.major}. Use PostgreSQL {major}, or move the data with "
                "pg_upgrade or pg_dump."
            )
        return made_reachable(chosen, account_for(place.data), BINARIES)

    def _initialise(self, place: Place, binaries: Binaries) -> None:
        """initdb beside the final name, then one rename: half-made is never taken for data."""
        account = account_for(place.data)
        fresh = place.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account.give(fresh)
        with _password_file(place.root, self.passwords[SUPERUSER], account) as password_file:
            done = account.run(
                [
                    binaries.program("initdb"),
                    f"--pgdata={fresh}",
                    f"--username={SUPERUSER}",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--encoding=UTF8",
                    "--data-checksums",
                    *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
                    *_locale_options(binaries.major),
                ]
            )
        if done.returncode != 0:
            raise EmbeddedError(f"The database could not be made.\n{done.stdout.strip()}")
        fresh.rename(place.data)

    def _launch(self, place: Place, binaries: Binaries) -> None:
        """Raises EmbeddedError with the server's last words if it is not ready in START_LIMIT_S."""
        deadline = time.monotonic() + START_LIMIT_S
        self._wait_dead(place)
        _clear_stale(place)
        while not self._spawn_and_wait(place, binaries, deadline):
            if time.monotonic() > deadline or not _may_pass(self.log_path):
                raise EmbeddedError(f"PostgreSQL did not start.\n{last_lines(self.log_path)}")
            time.sleep(0.5)  # a process of the killed server still holds its memory

    def _spawn_and_wait(self, place: Place, binaries: Binaries, deadline: float) -> bool:
        account = account_for(place.data)
        with opened_log(self.log_path) as log:
            child = subprocess.Popen(
                _server_command(place, binaries, self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for us, not for the database
                preexec_fn=_tied if self.dies_with_us else None,  # noqa: PLW1509 (one prctl)
                **account.process_options(),
            )
        self._child = child
        _children.append(child)
        _write_record(place, child.pid)
        while time.monotonic() < deadline:
            if child.poll() is not None:
                return False
            if self._postmaster(place) == child.pid and _state_line(place) == "ready":
                return True
            time.sleep(0.02)
        self._end(child)
        return False

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        child.send_signal(signal.SIGQUIT)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _is_serving(self, place: Place) -> bool:
        """Wait until a server that is starting or stopping is up or gone."""
        deadline = time.monotonic() + START_LIMIT_S
        while self._postmaster(place) and time.monotonic() < deadline:
            if _state_line(place) == "ready":
                return True
            time.sleep(0.05)
        if self._postmaster(place):
            raise EmbeddedError(
                f"PostgreSQL is running but not ready.\n{last_lines(self.log_path)}"
            )
        return False

    def _postmaster(self, place: Place) -> int | None:
        """The pid of this cluster's own living server. A pid file alone is no proof of one."""
        if self._child is not None:
            self._child.poll()  # takes the zombie away where the server was our own child
        pid = _named_pid(place)
        return pid if pid and _is_postmaster(pid, place) else None

    def _wait_dead(self, place: Place) -> None:
        """A killed server has no command line any more some moments before it is quite gone."""
        recorded = _recorded(place)
        if recorded and processes.is_same(recorded.pid, recorded.started):
            self._wait_gone(recorded.pid, ORPHAN_PATIENCE_S)

    def _wait_gone(self, pid: int, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while processes.living(pid) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        if self._child is not None:
            self._child.poll()  # takes the zombie away
        return True


def socket_url(place: Place, role: str, password: str, database: str = DATABASE) -> str:
    host = quote(str(place.socket), safe="")
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={host}"


def major_of(place: Place) -> int | None:
    try:
        return int((place.data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def _locale_options(major: int) -> list[str]:
    if major >= BUILTIN_LOCALE_SINCE:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale-provider=libc", "--locale=C.UTF-8"]


def _server_command(place: Place, binaries: Binaries, settings: Mapping[str, str]) -> list[str]:
    fixed = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.socket),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",
    }
    options = [
        part for name, value in {**settings, **fixed}.items() for part in ("-c", f"{name}={value}")
    ]
    return [binaries.program("postgres"), "-D", str(place.data), *options]


def _tied() -> None:
    processes.die_with_parent(signal.SIGINT)  # a fast shutdown: nothing to recover next time


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    """One starter or stopper at a time. The lock goes with its holder, however that ends."""
    handle = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Another process has been starting the database in {place.root}."
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _password_file(folder: Path, password: str, account: Account) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".password-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{password}\n")
        account.give(Path(name))
        yield Path(name)
    finally:
        Path(name).unlink()


def _may_pass(log: Path) -> bool:
    """Whether it failed over something that a killed server's last processes still hold."""
    return "still in use" in last_lines(log, 4) or "lock file" in last_lines(log, 4)


def _named_pid(place: Place) -> int | None:
    lines = _pid_file(place)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _state_line(place: Place) -> str:
    lines = _pid_file(place)
    return lines[PID_FILE_STATE].strip() if len(lines) > PID_FILE_STATE else ""


def _pid_file(place: Place) -> list[str]:
    try:
        return (place.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _is_postmaster(pid: int, place: Place) -> bool:
    process = processes.living(pid)
    words = processes.command_line(pid)
    if process is None or words[1:3] != ["-D", str(place.data)]:
        return False
    if _recorded(place) == Recorded(pid, process.started):
        return True
    # Its starter was killed before it wrote the record: the server's own note of its start must do.
    noted = _pid_file(place)[PID_FILE_START : PID_FILE_START + 1]
    return bool(noted) and abs(float(noted[0]) - process.started_epoch) < CLOCK_TOLERANCE_S


def _write_record(place: Place, pid: int) -> None:
    process = processes.living(pid)
    if process is None:
        return
    fresh = place.record.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(Recorded(pid, process.started))), encoding="utf-8")
    fresh.replace(place.record)


def _recorded(place: Place) -> Recorded | None:
    try:
        return Recorded(**json.loads(place.record.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _clear_stale(place: Place) -> None:
    """Take away what a killed server left: its last processes, its pid file, its socket's lock.

    Called with the lock held and no living server. PostgreSQL guards its shared memory by itself,
    so a missing pid file cannot let two servers at the same data.
    """
    deadline = time.monotonic() + ORPHAN_PATIENCE_S
    while orphans := _orphans(place):
        overdue = time.monotonic() > deadline
        for pid in orphans if overdue else ():
            processes.send(pid, signal.SIGKILL)
        time.sleep(0.05)
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    (place.socket / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _orphans(place: Place) -> list[int]:
    return [each.pid for each in processes.everyone() if _works_in(each.pid, place.data)]


def _works_in(pid: int, data: Path) -> bool:
    try:
        program, folder = (Path(f"/proc/{pid}/{name}").readlink() for name in ("exe", "cwd"))
    except OSError:
        return False
    return folder == data and program.name.removesuffix(" (deleted)") == "postgres"
