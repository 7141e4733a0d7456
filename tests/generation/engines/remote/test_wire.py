"""The line itself: names, certificates, uploads, and a word to the caller at every wait."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest

from generation.engines.protocol import EngineFailure, FailureCode
from generation.engines.remote.engine import RemoteEngine
from generation.engines.remote.line import Address, NotReached, ServerAway
from generation.engines.remote.wire import AnswerGarbled, Patience, Request, ask
from stage.certificates import a_certificate

HURRY = Patience(connect_s=2, silence_s=2, whole_s=5)


def no_pause():
    pass


def asked(port, request=None, *, patience=HURRY, pause=no_pause, most_bytes=1000, host="127.0.0.1"):
    return ask(
        Address(scheme="http", host=host, port=port),
        request or Request(method="GET", target="/"),
        patience=patience,
        pause=pause,
        most_bytes=most_bytes,
    )


@pytest.fixture
def speaking():
    """A server that reads a request's head, says these bytes, and hangs up."""
    threads = []

    def start(*pieces, reads=True):
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            line, _ = listener.accept()
            with listener, line:
                while reads and b"\r\n\r\n" not in line.recv(65536, socket.MSG_PEEK):
                    pass
                if reads:
                    line.recv(65536)
                for piece in pieces:
                    line.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        threads.append(thread)
        return listener.getsockname()[1]

    yield start
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_interim_answers_are_passed_over(speaking):
    port = speaking(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    assert asked(port).body == b"ok"


def test_interim_answers_without_end_are_not_waited_out(speaking):
    port = speaking(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
    with pytest.raises(AnswerGarbled):
        asked(port)


def test_a_head_without_end_is_refused(speaking):
    port = speaking(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000)
    with pytest.raises(AnswerGarbled):
        asked(port)


def test_pieces_of_any_cut_are_one_answer(speaking):
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    port = speaking(*(whole[place : place + 1] for place in range(len(whole))))
    assert asked(port).body == b"abcde"


def test_the_prefix_of_a_reverse_proxy_goes_before_every_path():
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = listener.accept()
        with listener, line:
            heard.append(line.recv(65536))
            line.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    address = Address(
        scheme="http", host="127.0.0.1", port=listener.getsockname()[1], prefix="/gpu/one"
    )
    request = Request(method="GET", target="/v1/videos")
    ask(address, request, patience=HURRY, pause=no_pause, most_bytes=10)
    thread.join()
    assert heard[0].startswith(b"GET /gpu/one/v1/videos HTTP/1.1\r\n")


def test_a_refusal_in_the_middle_of_a_large_upload_is_heard_or_is_a_broken_line(speaking):
    """Not every system delivers it: the line may be reset before it is read."""
    port = speaking(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    request = Request(method="POST", target="/", body=b"x" * 20_000_000)
    outcome: object
    try:
        outcome = asked(port, request).status
    except ServerAway as away:
        outcome = type(away)
    assert outcome in (413, ServerAway)


def test_a_file_is_sent_as_it_stands_a_block_at_a_time(tmp_path):
    content = bytes(range(256)) * 4096
    (tmp_path / "clip.mp4").write_bytes(content)
    listener = socket.create_server(("127.0.0.1", 0))
    heard = bytearray()

    def serve():
        line, _ = listener.accept()
        with listener, line:
            while not heard.endswith(content):
                heard.extend(line.recv(65536))
            line.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    request = Request(method="PUT", target="/made", upload=tmp_path / "clip.mp4")
    answer = asked(listener.getsockname()[1], request)
    thread.join(5)
    head, _, body = bytes(heard).partition(b"\r\n\r\n")
    assert (answer.status, body) == (201, content)
    assert b"content-length: %d" % len(content) in head.lower()


def test_an_upload_stops_where_the_server_answers_in_the_middle(tmp_path):
    with (tmp_path / "clip.mp4").open("wb") as sparse:
        sparse.truncate(1 << 34)  # would take minutes
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = listener.accept()
        with listener, line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\n\r\nlost")
            line.settimeout(5)
            while line.recv(1 << 20):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    request = Request(method="PUT", target="/made", upload=tmp_path / "clip.mp4")
    answer = asked(listener.getsockname()[1], request)
    thread.join(10)
    assert (answer.status, answer.body) == (409, b"lost")


def test_a_name_that_nobody_answers_for_does_not_keep_a_cancel_waiting(monkeypatch):
    let_go = threading.Event()

    def slow(*_args, flags=0, **_more):
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror("a name")
        let_go.wait(20)
        raise socket.gaierror("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    calls = []

    def pause():
        calls.append(time.monotonic())
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(80, host="video.example", pause=pause)
    with pytest.raises(NotReached):
        asked(80, host="video.example", patience=Patience(connect_s=0.3, silence_s=1, whole_s=1))
    let_go.set()
    for thread in threading.enumerate():
        if thread.name == "resolver":
            thread.join(5)
    with pytest.raises(NotReached, match="nobody"):
        asked(80, host="video.example")


def test_a_server_that_takes_no_connection_is_not_waited_for_without_end():
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    waiting = []
    try:
        for _number in range(4):  # the queue is full: further handshakes are dropped
            line = socket.socket()
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", port))
            waiting.append(line)
        with pytest.raises(NotReached):
            asked(port, patience=Patience(connect_s=0.5, silence_s=1, whole_s=2))
    finally:
        for line in (listener, *waiting):
            line.close()


@pytest.fixture
def certificate(tmp_path):
    return a_certificate(tmp_path)


@pytest.fixture
def sealed(serving, film, certificate):
    server = serving("sglang", film)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server, server.address.replace("http:", "https:")


def test_a_certificate_of_the_labs_own_is_trusted_where_it_is_named(
    sealed, described, certificate, order_of, watching
):
    _, address = sealed
    folder = described(address, "sglang", ca_file=str(certificate[0]))
    engine = RemoteEngine()
    engine.load(folder)
    assert len(list(engine.render(order_of(checkpoint=folder), watching()))) == 9


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(sealed, described):
    server, address = sealed
    with pytest.raises(EngineFailure) as failed:
        RemoteEngine().load(described(address, "sglang"))
    assert failed.value.code is FailureCode.REMOTE_AWAY
    assert "CERTIFICATE_VERIFY_FAILED" in failed.value.detail
    assert server.said == []


def test_plain_http_to_a_sealed_server_fails_cleanly(sealed, described):
    server, _ = sealed
    with pytest.raises(EngineFailure):
        RemoteEngine().load(described(server.address, "sglang"))
