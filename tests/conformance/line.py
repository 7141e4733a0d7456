"""A line between a client and the house that does harm when it is asked to; an ear for webhooks.

A request says by ``x-fault: <kind> <times> <key>`` what is to happen to its first so many tries:

- ``refuse``: the house never hears of it; 500 is answered in its place.
- ``lose``: the house does it, and the connection is closed without an answer.
- ``spoil``: the house does it, and 500 is answered in place of what it said.
- ``cut``: the house does it, and half of its answer comes through.
- ``hold``: nothing is answered until the client leaves.
- ``none``: no harm; it is only written down.

``/passed/<key>`` says what came of that key.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stage.network import free_port

OF_THIS_HOP = {"connection", "transfer-encoding", "host", "x-fault", "content-length"}
HELD_S = 5
FAULT = {"error": {"message": "harmed", "type": "server_error", "param": None, "code": "harmed"}}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    there: int = 0

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", free_port()), handler)
        self.lock = threading.Lock()
        self.passed: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no news here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def say(self, status: int, content: bytes, headers: Any = None, *, sent: int = -1) -> None:
        """``sent``: so many bytes of it, and no more."""
        self.send_response_only(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if sent < 0 else content[:sent])
        self.wfile.flush()


class HarmfulHandler(Handler):
    def pass_on(self) -> None:
        body = self.body()
        if self.path.startswith("/passed/"):
            key = self.path.rpartition("/")[2]
            self.say(200, json.dumps(self.server.passed[key]).encode())
            return
        kind, noted = self.harm()
        if kind == "refuse":
            self.say(500, json.dumps(FAULT).encode())
        elif kind == "hold":
            time.sleep(HELD_S)
            self.close_connection = True
        else:
            self.answer(kind, *self.asked(body))
        noted["answered_at"] = time.monotonic()

    do_GET = do_POST = do_DELETE = pass_on  # noqa: N815  (the library names them)

    def harm(self) -> tuple[str, dict[str, Any]]:
        """What to do to this try, and where it is written down."""
        if "x-fault" not in self.headers:
            return "none", {}
        kind, times, key = self.headers["x-fault"].split()
        heard = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            tries = self.server.passed[key]
            tries.append({"at": time.monotonic(), "headers": heard})
            return (kind if len(tries) <= int(times) else "none"), tries[-1]

    def asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.server.there, timeout=120)
        try:
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in OF_THIS_HOP
            }
            headers["Host"] = f"127.0.0.1:{self.server.there}"
            line.request(self.command, self.path, body=body or None, headers=headers)
            answer = line.getresponse()
            said = {n: v for n, v in answer.getheaders() if n.lower() not in OF_THIS_HOP}
            return answer.status, said, answer.read()
        finally:
            line.close()

    def answer(self, kind: str, status: int, headers: dict[str, str], content: bytes) -> None:
        if kind == "none":
            self.say(status, content, headers)
            return
        if kind == "spoil":
            self.say(500, json.dumps(FAULT).encode())
            return
        if kind == "cut":
            self.say(status, content, headers, sent=len(content) // 2)
        self.close_connection = True


class Ear(Handler):
    """Keeps what is posted to each address; ``GET`` of the same address says it."""

    def do_POST(self) -> None:
        body = self.body().decode()
        heard = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.passed[self.path].append({"headers": heard, "body": body})
        self.say(204, b"", {"X-Heard": "yes"})

    def do_GET(self) -> None:
        self.say(200, json.dumps(self.server.passed[self.path]).encode())


@contextmanager
def listening(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_harmful_line(there: int) -> Server:
    server = Server(HarmfulHandler)
    server.there = there
    return server


def an_ear(certificate: tuple[Path, Path] | None = None) -> Server:
    server = Server(Ear)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server
