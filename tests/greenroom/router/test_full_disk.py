"""A body that finds no room on the disk: read to its end, and answered by Django."""

from __future__ import annotations

import asyncio
import json

import pytest

from greenroom import wsgi
from greenroom.router.spool import Limits, TooLarge, spooled
from stage.disk import full_disk

MEGABYTE = 2**20


def pieces(count: int):
    return [
        {"type": "http.request", "body": b"x" * MEGABYTE, "more_body": number < count - 1}
        for number in range(count)
    ]


def test_what_has_no_room_is_read_to_its_end_and_kept_nowhere(exchange_of):
    waiting = pieces(6)
    exchange = exchange_of(waiting, {"Content-Length": str(6 * MEGABYTE)})
    with full_disk(2 * MEGABYTE):
        body = asyncio.run(spooled(exchange, Limits(10 * MEGABYTE)))
    assert (body.has_room, body.length, body.file.read()) == (False, 0, b"")
    assert waiting == []


def test_a_giant_is_a_giant_on_a_full_disk_too(exchange_of):
    exchange = exchange_of(pieces(6), {"Transfer-Encoding": "chunked"})
    with full_disk(2 * MEGABYTE), pytest.raises(TooLarge):
        asyncio.run(spooled(exchange, Limits(4 * MEGABYTE)))


@pytest.mark.parametrize("path", ["/references", "/api/v1/references"])
def test_the_sender_gets_a_page_or_a_problem(serve, build, tmp_path, path):
    served = serve(build(tmp_path, wsgi=wsgi.application))
    with full_disk(2 * MEGABYTE):
        answer = served.ask(path, method="POST", body=b"x" * 4 * MEGABYTE)
    assert answer.status == 507
    if path.startswith("/api/"):
        problem = json.loads(answer.content)
        assert (problem["code"], problem["status"]) == ("storage_full", 507)
        assert problem["title"] == "There is no room left here."
    else:
        assert answer.headers["content-type"].startswith("text/html")
        assert b"Keep what you sent, and send it again later." in answer.content
        assert answer.headers["content-security-policy"]


def test_what_needs_no_room_is_answered_as_ever(serve, build, tmp_path):
    served = serve(build(tmp_path))
    with full_disk(0):
        assert served.ask("/", method="POST", body=b"small").status == 200
