"""One POST: within its time, over a connection that is the host's own, and little of the answer."""

from __future__ import annotations

import threading
import time

import pytest

from accounts.webhooks import outlet
from accounts.webhooks.addresses import Allowed, read_address
from accounts.webhooks.outlet import Letter, send
from accounts.webhooks.rules import KEPT_OF_ANSWER
from stage.certificates import a_certificate
from stage.receiver import Receiver, answer

HERE = Allowed(loopback=True)


def letter(url: str, body: bytes = b"{}") -> Letter:
    return Letter(read_address(url, HERE), {"webhook-id": "evt_1"}, body)


@pytest.fixture
def safe(tmp_path):
    made = Receiver(certificate=a_certificate(tmp_path))
    made.start()
    yield made
    made.stop()


def test_over_tls_the_certificate_must_be_trusted(safe):
    ca_file = str(safe.certificate[0])
    assert send(letter(safe.url), allowed=HERE, within_s=10, ca_file=ca_file).status == 204
    assert send(letter(safe.url), allowed=HERE, within_s=10).failure == "certificate_refused"


def test_over_tls_the_certificate_must_be_the_hosts_own_whatever_address_it_has(safe):
    ca_file = str(safe.certificate[0])
    other = letter(f"https://localhost:{safe.port}/")
    said = send(other, allowed=HERE, within_s=10, ca_file=ca_file)
    assert said.failure == "certificate_refused"
    assert not safe.arrived


def test_a_redirect_is_an_answer_and_not_a_way(receiver):
    receiver.usual = answer(307, Location="http://127.0.0.1/other")
    assert send(letter(receiver.url), allowed=HERE, within_s=10).status == 307
    assert receiver.connections == 1


def test_of_a_large_answer_only_the_beginning_is_read(receiver):
    receiver.usual = answer(500, body=b"no\x00\x1b[31m" + b"x" * 10_000_000)
    said = send(letter(receiver.url), allowed=HERE, within_s=10)
    assert said.status == 500
    assert len(said.answer) == KEPT_OF_ANSWER
    assert said.answer.isprintable()


def test_a_server_that_trickles_its_answer_holds_nobody_longer_than_the_limit(receiver):
    receiver.usual = answer(200, body=b"x" * 100_000)
    receiver.drips_s = 0.05
    began = time.monotonic()
    said = send(letter(receiver.url), allowed=HERE, within_s=1.0)
    assert said.failure == "answer_timeout", "the head alone takes it longer"
    assert time.monotonic() - began < 10


def test_a_server_that_says_nothing_is_given_up(receiver):
    silence = threading.Event()
    receiver.while_taking = silence.wait
    said = send(letter(receiver.url), allowed=HERE, within_s=0.5)
    silence.set()
    assert said.failure == "answer_timeout"
    assert said.took_ms >= 500


def test_a_name_server_that_says_nothing_is_given_up(monkeypatch):
    silence = threading.Event()
    monkeypatch.setattr(outlet.socket, "getaddrinfo", lambda *_a, **_k: silence.wait() and [])
    to = Letter(read_address("https://hooks.example.org/", HERE), {}, b"{}")
    said = send(to, allowed=HERE, within_s=0.5)
    silence.set()
    assert said.failure == "name_timeout"


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b""])
def test_what_is_not_http_is_no_answer(receiver, garbage):
    receiver.usual = garbage
    said = send(letter(receiver.url), allowed=HERE, within_s=10)
    assert (said.status, said.failure) == (None, "answer_garbled")


def test_no_proxy_is_taken_from_the_environment(receiver, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(letter(receiver.url), allowed=HERE, within_s=10).status == 204
