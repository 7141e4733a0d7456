"""What reaches Django, and what does not, through a real server on a loopback port."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest

from greenroom.router.bridge import THREADS
from greenroom.router.options import Options
from greenroom.router.spool import Limits


def _said(answer):
    return dict(line.split("=", 1) for line in answer.content.decode().splitlines())


def _hash(body):
    return f"{len(body)}:{hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_a_body_arrives_whole(served, size):
    body = b"ab" * (size // 2) + b"c" * (size % 2)
    said = _said(served.ask("/", method="POST", body=body))

    assert said["body"] == _hash(body)
    assert said["CONTENT_LENGTH"] == str(size)


def test_a_chunked_body_arrives_whole_with_its_length(served):
    pieces = [b"x" * 100_000 for _ in range(20)]
    said = _said(served.ask("/", method="POST", body=iter(pieces)))

    assert said["body"] == _hash(b"".join(pieces))
    assert said["CONTENT_LENGTH"] == "2000000"


def test_nothing_a_client_forges_reaches_django(served):
    said = _said(
        served.ask(
            "/?a=1",
            **{
                "X-Request-ID": "forged",
                "X_Forwarded_For": "1.2.3.4",
                "X-Forwarded-For": "1.2.3.4",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "evil.example",
                "Forwarded": "for=1.2.3.4",
                "Proxy": "http://evil.example",
            },
        )
    )

    assert said["QUERY_STRING"] == "a=1"
    assert said["REMOTE_ADDR"] == "127.0.0.1"
    assert said["wsgi.url_scheme"] == "http"
    assert said["HTTP_X_REQUEST_ID"] != "forged"
    assert (
        said["HTTP_X_FORWARDED_FOR"] == said["HTTP_X_FORWARDED_HOST"] == said["HTTP_PROXY"] == "-"
    )


def test_an_underscore_is_not_a_dash(served):
    with served.socket() as raw:
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"X_Request_ID: forged\r\nX_Forwarded_Host: evil.example\r\n\r\n"
        )
        content = b"".join(iter(lambda: raw.recv(65536), b""))

    assert b"forged" not in content
    assert b"evil.example" not in content


def test_a_trusted_proxy_is_believed(serve, build, tmp_path):
    served = serve(build(tmp_path, options=Options(trusted_proxies=["127.0.0.0/8"])))
    said = _said(
        served.ask("/", **{"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"})
    )

    assert (said["REMOTE_ADDR"], said["wsgi.url_scheme"]) == ("198.51.100.7", "https")


def _stalled(served, head: bytes):
    raw = served.socket()
    raw.sendall(head)
    return raw


def test_stalled_senders_block_nobody(serve, build, tmp_path):
    limits = Limits(1_000_000, total_s=20, stall_s=20)
    served = serve(build(tmp_path, limits=limits))
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"
    stalled = [_stalled(served, head) for _ in range(4 * THREADS)]
    try:
        began = time.monotonic()
        assert served.ask("/").status == 200
        assert time.monotonic() - began < 10
    finally:
        for raw in stalled:
            raw.close()


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_a_stalled_sender_is_told_408(serve, build, tmp_path, head):
    served = serve(build(tmp_path, limits=Limits(1_000_000, total_s=5, stall_s=0.2)))
    with _stalled(served, head) as raw:
        content = b"".join(iter(lambda: raw.recv(65536), b""))

    assert content.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in content
    assert b"content-security-policy" in content


def test_a_giant_is_refused_with_an_answer_that_arrives(serve, build, tmp_path):
    served = serve(build(tmp_path, limits=Limits(100_000)))
    answer = served.ask("/", method="POST", body=b"x" * 3_000_000)

    assert answer.status == 413
    assert json.loads(answer.content)["code"] == "body_too_large"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_chunked_giant_is_refused_too(serve, build, tmp_path):
    served = serve(build(tmp_path, limits=Limits(100_000)))
    answer = served.ask("/", method="POST", body=iter([b"x" * 50_000] * 20))

    assert answer.status == 413


def test_a_giant_that_asks_first_sends_nothing(serve, build, tmp_path):
    served = serve(build(tmp_path, limits=Limits(100_000)))
    with served.socket() as raw:
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert raw.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_polite_sender_is_told_to_go_on(served):
    with served.socket() as raw:
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert raw.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"abc")
        content = b"".join(iter(lambda: raw.recv(65536), b""))

    assert _hash(b"abc").encode() in content


def test_a_sender_who_leaves_costs_nothing(served, caplog):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"
    _stalled(served, head).close()

    assert served.ask("/").status == 200
    assert "Traceback" not in caplog.text


def test_readers_who_do_not_read_block_nobody(serve, build, tmp_path):
    def large(environ, start_response):
        content = b"x" * (8_000_000 if environ["PATH_INFO"] == "/large" else 2)
        start_response("200 OK", [("Content-Length", str(len(content)))])
        return [content]

    served = serve(build(tmp_path, wsgi=large))
    head = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
    readers = [_stalled(served, head) for _ in range(3 * THREADS)]
    try:
        time.sleep(0.5)
        assert served.ask("/small").content == b"xx"
    finally:
        for raw in readers:
            raw.close()


def test_a_reader_who_never_reads_is_let_go(serve, build, tmp_path, monkeypatch, caplog):
    from greenroom.router import bridge

    monkeypatch.setattr(bridge, "_READER_STALL_S", 0.3)

    def streamed(environ, start_response):
        start_response("200 OK", [])
        return (b"x" * 100_000 for _ in range(1000))

    served = serve(build(tmp_path, wsgi=streamed))
    with _stalled(served, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as raw:
        end = time.monotonic() + 20
        while "stopped reading" not in caplog.text and time.monotonic() < end:
            time.sleep(0.05)
        assert "stopped reading" in caplog.text
        content = b""
        while piece := raw.recv(1_000_000):
            content += piece
    assert not content.endswith(b"0\r\n\r\n")  # cut, and seen to be


def test_django_runs_in_threads_of_the_router(served):
    names = set()

    def ask():
        names.add(served.ask("/thread").content.decode())

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(name.startswith("WSGI") for name in names)
    assert len(names) <= THREADS


def test_pipelined_and_kept_alive_requests_are_answered_in_order(served):
    with served.socket() as raw:
        raw.sendall(b"GET /?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        content = b""
        raw.settimeout(5)
        while content.count(b"QUERY_STRING=n=1") < 3:
            content += raw.recv(65536)

    assert content.count(b"HTTP/1.1 200") == 3


def test_two_lengths_are_no_request(served):
    with served.socket() as raw:
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"
        )
        content = b""
        raw.settimeout(2)
        try:
            while piece := raw.recv(65536):
                content += piece
        except (TimeoutError, ConnectionError):
            pass

    assert b"PATH_INFO=/hidden" not in content
