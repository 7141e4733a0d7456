"""What a connection may send before there is a request."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from greenroom.router import wire

LINE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


def _all(open_socket) -> bytes:
    received = b""
    try:
        while piece := open_socket.recv(65536):
            received += piece
    except ConnectionResetError:
        pass  # it closed with some of ours unread
    return received


def _send(open_socket, content: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it closed before all of it was out
        open_socket.sendall(content)


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(1000)),
        b"X: " + b"a" * 1_000_000 + b"\r\n",
        b"Cookie: " + b"a" * 100_000 + b"\r\n",
    ],
    ids=["many", "one endless", "one too large"],
)
def test_headers_without_end_are_refused(served, headers):
    with served.socket() as one:
        _send(one, LINE + headers + b"Connection: close\r\n\r\n")
        received = _all(one)

    assert b"200 OK" not in received
    assert not received or b" 400 " in received


def test_headers_of_a_usual_size_pass_in_many_small_pieces(served):
    with served.socket() as one:
        one.sendall(LINE)
        for number in range(60):
            one.sendall(b"X-%d: %s\r\n" % (number, b"a" * 900))
            time.sleep(0.001)
        one.sendall(b"Connection: close\r\n\r\n")
        received = _all(one)

    assert received.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("said", [b"", LINE, b"\r\n"], ids=["nothing", "half", "empty lines"])
def test_a_connection_that_brings_no_request_is_closed(served, monkeypatch, said):
    monkeypatch.setattr(wire, "HEAD_WITHIN_S", 0.3)
    with served.socket() as one:
        one.sendall(said)
        assert b"200 OK" not in _all(one)  # it ends: otherwise this waits until the socket's limit


def test_a_used_connection_that_falls_silent_in_the_next_request_is_closed(served, monkeypatch):
    monkeypatch.setattr(wire, "HEAD_WITHIN_S", 0.3)
    with served.socket() as one:
        one.sendall(LINE + b"\r\n")
        assert one.recv(65536).startswith(b"HTTP/1.1 200 OK")
        one.sendall(LINE)
        assert b"200 OK" not in _all(one)


def test_a_request_on_its_way_and_a_slow_body_are_not_cut(served, monkeypatch):
    monkeypatch.setattr(wire, "HEAD_WITHIN_S", 0.2)
    with served.socket() as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n")
        one.sendall(b"Connection: close\r\n\r\n")
        for piece in (b"a", b"b", b"c", b"d"):
            time.sleep(0.2)
            one.sendall(piece)
        received = _all(one)

    assert b"body=4:" in received
