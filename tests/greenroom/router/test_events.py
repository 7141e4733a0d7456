"""Server-sent events, through a real server on a loopback port."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from core.ids import new_id, shown
from greenroom.parent.web import open_many_files
from greenroom.router import events as events_module
from greenroom.router import hub as hub_module


class Listening:
    """A raw EventSource: reads what arrives until a condition holds."""

    def __init__(self, served, cookie):
        self.socket = served.socket()
        request = f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: greenroom_session={cookie}"
        self.socket.sendall(f"{request}\r\nAccept: text/event-stream\r\n\r\n".encode())
        self.received = b""

    def until(self, *wanted: bytes, within_s: float = 20.0) -> bytes:
        end = time.monotonic() + within_s
        while not all(text in self.received for text in wanted):
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.received += piece
        return self.received

    def until_it_ends(self, within_s: float = 20.0) -> bytes:
        self.socket.settimeout(within_s)
        try:
            while piece := self.socket.recv(65536):
                self.received += piece
                if self.received.endswith(b"0\r\n\r\n"):
                    break
        except ConnectionError:
            pass
        return self.received

    def close(self):
        self.socket.close()


@pytest.fixture
def party():
    return new_id()


@pytest.fixture
def cookie(rows, party):
    return rows.add_session(party)


@pytest.fixture
def often_confirmed(monkeypatch):
    monkeypatch.setattr(hub_module, "CONFIRM_EVERY_S", 0.05)


@pytest.fixture
def listen(served):
    opened = []

    def start(cookie):
        opened.append(Listening(served, cookie))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def _gone(house, within_s=20.0):
    end = time.monotonic() + within_s
    while list(house.hub.streams()) and time.monotonic() < end:
        time.sleep(0.02)
    return not list(house.hub.streams())


def test_a_page_hears_its_jobs_now_and_as_they_change(served, house, rows, party, cookie, listen):
    job = rows.add_job(party)
    page = listen(cookie)
    head = page.until(b"event: snapshot")

    assert b"HTTP/1.1 200" in head
    assert b"content-type: text/event-stream" in head
    assert b"cache-control: no-store" in head
    assert b"content-security-policy:" in head
    assert b"x-request-id:" in head
    assert b"retry: 2000" in head
    house.tell(replace(job, state="running", steps_done=3))
    page.until(b'"step": 3')
    house.tell(replace(job, state="finished", clip_id=new_id()))
    data = page.until(b'"finished"')

    last = data.decode().rsplit("data: ", 1)[1].split("\n")[0]
    assert json.loads(last)["id"] == shown("job", job.job_id)
    assert json.loads(last)["clip"].startswith("clp_")


def test_silence_is_filled_with_heartbeats(served, cookie, listen, monkeypatch):
    monkeypatch.setattr(events_module, "HEARTBEAT_S", 0.1)
    page = listen(cookie)
    page.until(b": still here")

    assert page.received.count(b": still here") >= 1


def test_a_stream_of_a_revoked_session_ends_by_itself(often_confirmed, rows, cookie, house, listen):
    page = listen(cookie)
    page.until(b"event: snapshot")
    rows.revoke_everything()

    assert page.until_it_ends().endswith(b"0\r\n\r\n")
    assert _gone(house)


def test_a_page_that_closes_is_forgotten_at_once(house, cookie, listen):
    page = listen(cookie)
    page.until(b"event: snapshot")
    assert len(list(house.hub.streams())) == 1
    page.close()

    assert _gone(house)


def test_the_seventh_stream_of_a_credential_is_refused(served, cookie, listen):
    for _ in range(6):
        listen(cookie).until(b"event: snapshot")
    answer = served.ask("/events", Cookie=f"greenroom_session={cookie}")

    assert answer.status == 429
    assert answer.headers["retry-after"] == "15"


def test_a_reader_that_does_not_read_is_dropped(house, rows, party, cookie, listen, monkeypatch):
    monkeypatch.setattr(events_module, "READER_STALL_S", 0.5)
    page = listen(cookie)
    page.until(b"event: snapshot")
    (stream,) = house.hub.streams()

    def flood():
        while not stream.closed:
            for _ in range(50):
                house.loop.call_soon_threadsafe(stream.push, new_id(), b"data: " + b"x" * 4000)
            time.sleep(0.005)

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert _gone(house)
    assert not page.until_it_ends().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_events_can_only_be_followed(served, method):
    answer = served.ask("/events", method=method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


def test_a_thousand_streams_cost_no_threads_and_little_memory(serve, build, rows, tmp_path):
    """A sanity check, not a figure: a thread or a connection per stream would show at once."""
    assert open_many_files() > 2500, "a thousand streams have two thousand ends here"
    house = build(tmp_path, rows=rows)
    served = serve(house)
    parties = [new_id() for _ in range(200)]
    jobs = [rows.add_job(party) for party in parties]
    cookies = [rows.add_session(party) for party in parties]
    threads = threading.active_count()
    memory = _resident_mb()
    pages = [Listening(served, cookie) for cookie in cookies for _ in range(5)]
    try:
        for page in pages:
            assert b"event: snapshot" in page.until(b"event: snapshot", within_s=60)
        assert len(list(house.hub.streams())) == 1000
        assert threading.active_count() <= threads + 10
        assert _resident_mb() - memory < 150
        rows.looks.clear()
        for job in jobs:
            house.tell(replace(job, state="finished"))
        for page in pages:
            assert b'"finished"' in page.until(b'"finished"', within_s=60)
        assert len(rows.looks) == 200
    finally:
        for page in pages:
            page.close()
    assert _gone(house)


def _resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
