"""A receiver of webhooks, on loopback, which answers as a test wants."""

from __future__ import annotations

import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from core.outbox.commands import deliver, say
from stage.cast import Member


@dataclass(frozen=True)
class Arrived:
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """By the reference implementation. Raises where it is not from who has this secret."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """``arrived`` is everything that was posted. ``answers`` are used up one by one, then all are
    ``usual``; ``while_taking`` is called before an answer."""

    usual: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    answers: list[bytes] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    connections: int = 0
    while_taking: Callable[[], Any] | None = None
    drips_s: float = 0.0
    port: int = 0
    certificate: tuple[Path, Path] | None = None
    _server: socketserver.ThreadingTCPServer | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}/hooks?from=house"

    def start(self) -> None:
        server = _Server(("127.0.0.1", self.port), _Dialogue)
        server.stage = self
        if self.certificate:
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trust.load_cert_chain(*self.certificate)
            server.socket = trust.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server = server
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def ids(self) -> list[str]:
        return [each.id for each in self.arrived]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    stage: Receiver

    def handle_error(self, *_said: Any) -> None:
        """Who goes away in the middle of a handshake is what some tests are about."""


class _Dialogue(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        stage = self.server.stage
        stage.connections += 1
        first = self.rfile.readline().decode()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        stage.arrived.append(Arrived(first.split(" ")[1], headers, body))
        if stage.while_taking:
            stage.while_taking()
        self._say(stage.answers.pop(0) if stage.answers else stage.usual)

    def _say(self, words: bytes) -> None:
        stage = self.server.stage
        if not stage.drips_s:
            self.wfile.write(words)
            return
        for sign in words:
            self.wfile.write(bytes([sign]))
            time.sleep(stage.drips_s)


def answer(status: int, *, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Said", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.stop()


def happened(member: Member, kind: str, thing: str, subject_id: Any, **facts: Any) -> None:
    """Committed and told, as a command would."""
    from django.db import transaction

    with transaction.atomic():
        say(kind, subject=(thing, subject_id), party=member.party_id, **facts)
    heard()


def heard() -> None:
    """Every committed event has come to the webhooks."""
    while deliver("webhooks"):
        pass
