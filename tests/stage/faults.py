"""A line to the web that answers with faults, or loses answers that were given."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BLOCK = 4096
HOP = {"connection", "transfer-encoding", "content-length"}


@dataclass
class Faults:
    """What happens to the next requests whose path begins with ``path``, in this order:

    ``"503"`` or another status: answered so, without asking the web. ``"lost"``: the web does it,
    and the answer never arrives. ``"cut"``: the answer breaks off after ``after`` bytes.
    """

    path: str = "/"
    plan: deque[str] = field(default_factory=deque)
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 1000
    seen: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, key or range
    address: str = ""

    def next(self, path: str) -> str:
        return self.plan.popleft() if self.plan and path.startswith(self.path) else ""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.port = port
        self.faults = Faults(address=f"http://127.0.0.1:{self.server_address[1]}")

    def handle_error(self, *_: Any) -> None:
        """Whoever asked has left: that is what some of these tests are about."""


class Relay(BaseHTTPRequestHandler):
    server: Quiet

    def _relay(self) -> None:
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = self.headers.get("Idempotency-Key") or self.headers.get("Range") or ""
        faults.seen.append((self.command, self.path, said))
        fault = faults.next(self.path)
        if fault.isdigit():
            self._say(int(fault), faults.headers, b'{"detail": "A fault.", "code": "a_fault"}')
            return
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            line.request(self.command, self.path, body or None, dict(self.headers))
            self._answer(line.getresponse(), fault, faults.after)
        finally:
            line.close()
        self.close_connection = True

    do_GET = do_POST = _relay  # noqa: N815  (names of the standard library)

    def _answer(self, answer: http.client.HTTPResponse, fault: str, after: int) -> None:
        if fault == "lost":
            answer.read()
            return
        self._begin(answer.status, answer.getheaders(), answer.length)
        if fault == "cut":
            self.wfile.write(answer.read(after))
            return
        while block := answer.read1(BLOCK):
            self.wfile.write(block)
            self.wfile.flush()

    def _say(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self._begin(status, list(headers.items()), len(content))
        self.wfile.write(content)

    def _begin(self, status: int, headers: list[tuple[str, str]], length: int | None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def a_faulty_line(port: int) -> Iterator[Faults]:
    server = Quiet(port)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield server.faults
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
