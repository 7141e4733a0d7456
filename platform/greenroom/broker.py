"""The broker that needs no server: kombu's filesystem transport, made safe.

The stock transport creates a message under its final name and writes it afterwards; a consumer
that looks in between takes the empty file, fails to read it, and the worker ends. Here a message is
written aside and appears by one rename, and is taken by one rename. What is still true of every
message of ours: it is a doorbell. The row in the database is the truth, a sweep rings again, so a
message lost with the machine costs seconds, and nothing here waits for the disk (no fsync).

    <folder>/queues/<queue>/<nanoseconds>-<random>-<bell>.msg   what waits, oldest name first
    <folder>/writing/                                           messages not yet whole
    <folder>/claimed/                                           messages being read
    <folder>/damaged/                                           set aside, never fatal
    <folder>/exchanges/<exchange>.exchange                      which queues an exchange feeds
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

SCHEME = "doorbell"
# A class path cannot be a URL scheme (schemes are lower case and have no colon), an alias can.
TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"

POLLING_INTERVAL_S = 0.1
PENDING_LIMIT = 10_000
DAMAGED_KEPT = 100
FORGOTTEN_AFTER_S = 3600.0
_COUNT_EVERY = 256
_NO_BELL = "0" * 16

log = logging.getLogger(__name__)


def broker_url(folder: Path) -> str:
    """The `broker_url` of Celery for a broker in this folder (an absolute path)."""
    return f"{SCHEME}://localhost/{quote(str(folder.absolute()))}"


def transport_options() -> dict[str, Any]:
    """The `broker_transport_options` of Celery that belong to it."""
    return {"polling_interval": POLLING_INTERVAL_S}


def bell_of(payload: dict[str, Any], body: bytes | str) -> str:
    """What two identical doorbells have in common; zeros where a message is not one.

    A doorbell is a task without arguments, delay or company (protocol 2 of Celery). While one
    waits, a second says nothing new: whoever takes the first looks after both were rung.
    """
    headers = payload.get("headers") or {}
    task = headers.get("task")
    if not task or any(headers.get(name) for name in ("eta", "expires", "group", "chord")):
        return _NO_BELL
    try:
        args, kwargs, company = json.loads(body)
    except (TypeError, ValueError):
        return _NO_BELL
    if args or kwargs or any((company or {}).values()):
        return _NO_BELL
    return hashlib.sha256(str(task).encode()).hexdigest()[:16]


class Channel(filesystem.Channel):
    """Queues as folders, messages as files that appear and vanish whole."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._listed: dict[str, deque[str]] = {}
        self._puts: dict[str, int] = {}
        self._last_stamp = 0

    @property
    def folder(self) -> Path:
        client: Any = self.connection.client
        return Path(client.virtual_host)

    @property
    def control_folder(self) -> Path:
        return _private(self.folder / "exchanges")

    @property
    def pending_limit(self) -> int:
        return int(self.transport_options.get("pending_limit", PENDING_LIMIT))

    # Messages

    # The two parents disagree about the name of the second argument.
    def _put(self, queue: str, message: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        """Raises ChannelError where the queue is full or the disk refuses."""
        home = self._home(queue)
        bell = self._bell(message)
        try:
            if bell != _NO_BELL and _rings_already(home, bell):
                return
            self._make_room(queue, home)
            self._write(home, f"{self._stamp():020d}-{uuid.uuid4().hex[:16]}-{bell}.msg", message)
        except OSError as error:
            raise ChannelError(f"Cannot add a message to queue {queue!r}: {error}") from error

    def _write(self, home: Path, name: str, payload: dict[str, Any]) -> None:
        whole = _private(self.folder / "writing") / name
        try:
            whole.write_bytes(str_to_bytes(dumps(payload)))
            try:
                whole.rename(home / name)
            except FileNotFoundError:  # the queue was deleted a moment ago
                whole.rename(_private(home) / name)
        except OSError:
            whole.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        waiting = self._listed.setdefault(queue, deque())
        for listed_now in (False, True):
            if listed_now:
                waiting.extend(_names(self._home(queue, make=False)))
            while waiting:
                payload = self._take(queue, waiting.popleft())
                if payload is not None:
                    return payload
        raise Empty

    def _take(self, queue: str, name: str) -> dict[str, Any] | None:
        """The message, or None where another consumer was quicker or the file is damaged."""
        claimed = self.folder / "claimed" / name
        try:
            (self._home(queue, make=False) / name).rename(claimed)
        except FileNotFoundError:
            return None
        except OSError as error:  # a full disk refuses renames too: the message stays where it is
            log.warning("broker: cannot take message %s: %s", name, error)
            return None
        try:
            payload = self._read(claimed)
        except Exception:  # noqa: BLE001  whatever a broken file raises, the worker goes on
            self._set_aside(claimed)
            return None
        claimed.unlink(missing_ok=True)
        return payload

    def _read(self, file: Path) -> dict[str, Any]:
        payload: dict[str, Any] = loads(bytes_to_str(file.read_bytes()))
        self.Message(payload, channel=self)  # what kombu does next, tried where it may fail
        return payload

    def _set_aside(self, file: Path) -> None:
        log.error("broker: damaged message %s set aside", file.name)
        with suppress(OSError):
            file.rename(_private(self.folder / "damaged") / file.name)

    def _purge(self, queue: str) -> int:
        self._listed.pop(queue, None)
        home = self._home(queue, make=False)
        return sum(_removed(home / name) for name in _names(home))

    def _size(self, queue: str) -> int:
        return len(_names(self._home(queue, make=False)))

    def _stamp(self) -> int:
        """Wall-clock nanoseconds, so that order survives a reboot; never twice in one channel."""
        self._last_stamp = max(self._last_stamp + 1, time.time_ns())
        return self._last_stamp

    def _bell(self, payload: dict[str, Any]) -> str:
        body = self.decode_body(payload["body"], payload["properties"].get("body_encoding"))
        return bell_of(payload, body)

    def _make_room(self, queue: str, home: Path) -> None:
        """Counts now and then: a queue that nobody reads must not fill the disk."""
        puts = self._puts.get(queue, 0)
        self._puts[queue] = puts + 1
        if puts % min(_COUNT_EVERY, self.pending_limit):
            return
        names = _names(home)
        if len(names) < self.pending_limit:
            return
        if not _is_talk(queue):
            raise ChannelError(f"Queue {queue!r} is full: {len(names)} messages wait")
        for name in names[: len(names) // 2]:
            _removed(home / name)

    # Queues and exchanges

    def _home(self, queue: str, *, make: bool = True) -> Path:
        home = self.folder / "queues" / f"q.{quote(queue, safe='@')}"
        return _private(home) if make else home

    def _new_queue(self, queue: str, **_kwargs: Any) -> None:
        os.utime(self._home(queue))

    def _has_queue(self, queue: str, **_kwargs: Any) -> bool:
        return self._home(queue, make=False).is_dir()

    def _delete(
        self,
        queue: str,
        exchange: str,
        routing_key: str,
        pattern: str,
        *_args: Any,
        **_kwargs: Any,
    ) -> None:
        gone = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table(exchange) as table:
            if gone in table:
                table.remove(gone)
        self._purge(queue)
        with suppress(OSError):  # somebody has just put a message: let it lie
            self._home(queue, make=False).rmdir()

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str
    ) -> None:
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table(exchange) as table:
            for old in [entry for entry in table if self._is_forgotten(entry.queue)]:
                table.remove(old)
                shutil.rmtree(self._home(old.queue, make=False), ignore_errors=True)
            if binding not in table:
                table.insert(0, binding)

    def get_table(self, exchange: str) -> list[Any]:
        file = self._exchange(exchange)
        try:
            return [exchange_queue_t(*entry) for entry in loads(bytes_to_str(file.read_bytes()))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ChannelError(f"Cannot open {file}") from error
        except (
            TypeError,
            ValueError,
        ):  # only a crash of the machine leaves this; workers bind anew
            self._set_aside(file)
            return []

    def _exchange(self, exchange: str) -> Path:
        return self.control_folder / f"{quote(exchange, safe='')}.exchange"

    @contextmanager
    def _table(self, exchange: str) -> Iterator[list[exchange_queue_t]]:
        """The bindings under a lock; what is changed in the list appears at once and whole."""
        file = self._exchange(exchange)
        with (file.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            before = list(table)
            yield table
            if table == before:
                return
            whole = _private(self.folder / "writing") / f"{uuid.uuid4().hex}.exchange"
            whole.write_bytes(str_to_bytes(dumps(table)))
            whole.replace(file)

    def _is_forgotten(self, queue: str) -> bool:
        """Reply and event queues have random names; whoever made one and died leaves it behind."""
        if not (queue.endswith(".reply.celery.pidbox") or queue.startswith("celeryev.")):
            return False
        try:
            touched = self._home(queue, make=False).stat().st_mtime
        except FileNotFoundError:
            return True
        return time.time() - touched > FORGOTTEN_AFTER_S


class Transport(filesystem.Transport):
    """`doorbell://localhost/<absolute folder>`."""

    Channel = Channel
    driver_type = SCHEME
    driver_name = SCHEME
    states: dict[str, virtual.BrokerState] = {}

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        # What this process has declared, by folder: the stock transport mixes all folders up.
        self.state = self.states.setdefault(client.virtual_host, virtual.BrokerState())

    def establish_connection(self) -> Any:
        client: Any = self.client
        folder = Path(client.virtual_host or "")
        if not folder.is_absolute():
            raise ValueError(f"A {SCHEME}:// broker URL names an absolute folder")
        _private(folder)
        for name in ("queues", "writing", "claimed", "damaged"):
            _private(folder / name)
        _tidy(folder)
        return super().establish_connection()


def _private(folder: Path) -> Path:
    """Make it, readable by nobody else: messages name tasks, and a planted one would run them."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _names(home: Path) -> list[str]:
    try:
        with os.scandir(home) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(".msg"))
    except FileNotFoundError:
        return []


def _rings_already(home: Path, bell: str) -> bool:
    return any(name.endswith(f"-{bell}.msg") for name in _names(home))


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _is_talk(queue: str) -> bool:
    """Remote control and events: old talk may be dropped, work may not."""
    return queue.endswith(".pidbox") or queue.startswith("celeryev")


def _tidy(folder: Path) -> None:
    """Clear what killed processes left behind, and all but the newest damaged messages."""
    long_ago = time.time() - FORGOTTEN_AFTER_S
    for name in ("writing", "claimed"):
        for file in (folder / name).iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < long_ago:
                    file.unlink()
    for file in sorted((folder / "damaged").iterdir(), reverse=True)[DAMAGED_KEPT:]:
        _removed(file)
