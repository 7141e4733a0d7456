"""One HTTP request and its answer, over h11. No wait is longer than a fifth of a second without a
word to the caller, so that a cancel is heard while a server is silent.

A connection per request, closed whatever happens. No redirect is followed here, no proxy is taken
from the environment, nothing is unpacked, and every answer has a largest size.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import h11

from generation.engines.remote.line import Address, Pause, ServerAway, connected, wait_for

_BLOCK = 1 << 16
_LARGEST_HEAD = 1 << 16
_LARGEST_REFUSAL = 1 << 20
_MOST_INTERIM = 8


class AnswerGarbled(Exception):
    """Something answered, but not with HTTP as it should be, or without end."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """``upload`` is a file to send in place of ``body``, a block at a time."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    upload: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Patience:
    """``connect_s`` for name, connection and handshake together; ``silence_s`` for any one wait for
    bytes; ``whole_s`` from first to last."""

    connect_s: float
    silence_s: float
    whole_s: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``body`` is empty where it went into a file."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300


def ask(
    address: Address,
    request: Request,
    *,
    patience: Patience,
    pause: Pause,
    most_bytes: int,
    file: BinaryIO | None = None,
) -> Answer:
    """Raises ``ServerAway``, ``AnswerGarbled`` and whatever ``pause`` raises.

    The body of an answer that is fine goes into ``file`` where one is given, up to ``most_bytes``;
    any other body is returned.
    """
    until = time.monotonic() + patience.whole_s
    with connected(address, patience.connect_s, pause) as line:
        exchange = _Exchange(line, until, patience.silence_s, pause)
        exchange.send(_written(address, request, exchange.protocol))
        if request.upload is not None:
            exchange.upload(request.upload)
        return exchange.answer(most_bytes, file)


class _Exchange:
    def __init__(self, line: socket.socket, until: float, silence_s: float, pause: Pause) -> None:
        self.protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._line = line
        self._until = until
        self._silence_s = silence_s
        self._pause = pause

    def send(self, data: bytes) -> bool:
        """False where nobody reads any more: a server may refuse before it has read all, and its
        answer says why."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._line.send(left[:_BLOCK]) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                self._wait(wanted, writes=True)
            except OSError:
                return False
        return True

    def upload(self, path: Path) -> None:
        """Until the file ends, or the server answers before that."""
        with path.open("rb") as opened:
            while block := opened.read(_BLOCK):
                self._pause()
                if not self.send(self.protocol.send(h11.Data(data=block)) or b""):
                    return
                if self._has_answered():
                    return
        self.send(self.protocol.send(h11.EndOfMessage()) or b"")

    def _has_answered(self) -> bool:
        try:
            self.protocol.receive_data(self._line.recv(_BLOCK))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True  # whatever broke is found again where the answer is read
        return True

    def answer(self, most_bytes: int, file: BinaryIO | None) -> Answer:
        head = self._head()
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers
        }
        into = file if 200 <= head.status_code < 300 else None
        if headers.get("content-encoding", "identity") != "identity":
            raise AnswerGarbled("the answer is packed, which nobody asked for")
        body = self._body(most_bytes if into is file else _LARGEST_REFUSAL, into)
        return Answer(status=head.status_code, headers=headers, body=body)

    def _head(self) -> h11.Response:
        for _number in range(_MOST_INTERIM):
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise ServerAway("the connection ended before an answer")
        raise AnswerGarbled("interim answers without end")

    def _body(self, most_bytes: int, file: BinaryIO | None) -> bytes:
        kept = bytearray()
        size = 0
        while isinstance(event := self._event(), h11.Data):
            size += len(event.data)
            if size > most_bytes:
                raise AnswerGarbled(f"the answer is longer than {most_bytes} bytes")
            if file is None:
                kept += event.data
            else:
                file.write(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise ServerAway("the connection ended inside an answer")
        return bytes(kept)

    def _event(self) -> h11.Event | type[h11.PAUSED]:
        is_over = False
        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError as error:
                kind = ServerAway if is_over else AnswerGarbled
                raise kind(str(error)) from error
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            received = self._received()
            is_over = not received
            self.protocol.receive_data(received)

    def _received(self) -> bytes:
        while True:
            self._pause()
            if time.monotonic() > self._until:
                raise ServerAway("the answer did not end in time")
            try:
                return self._line.recv(_BLOCK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                self._wait(wanted, writes=False)
            except OSError as error:
                raise ServerAway(f"{type(error).__name__}: {error}") from error

    def _wait(self, wanted: Exception, *, writes: bool) -> None:
        writes = isinstance(wanted, ssl.SSLWantWriteError) or (
            writes and not isinstance(wanted, ssl.SSLWantReadError)
        )
        until = min(time.monotonic() + self._silence_s, self._until)
        wait_for(self._line, until, self._pause, writes=writes, late=ServerAway)


def _written(address: Address, request: Request, protocol: h11.Connection) -> bytes:
    """Head and body; only the head where a file is sent after it."""
    length = len(request.body) if request.upload is None else request.upload.stat().st_size
    head = h11.Request(
        method=request.method,
        target=address.prefix + request.target,
        headers=[
            ("Host", address.shown),
            ("Connection", "close"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "greenroom"),
            *request.headers,
            ("Content-Length", str(length)),
        ],
    )
    if request.upload is not None:
        return protocol.send(head) or b""
    parts: list[h11.Event] = [head]
    if request.body:
        parts.append(h11.Data(data=request.body))
    return b"".join(protocol.send(part) or b"" for part in (*parts, h11.EndOfMessage()))
