"""A body is whole before anybody works on it."""

from __future__ import annotations

import asyncio

import pytest

from greenroom.router.exchange import TooSlow
from greenroom.router.spool import Gone, Limits, TooLarge, spooled

LIMITS = Limits(max_bytes=3_000_000, total_s=2.0, stall_s=0.3)


def _piece(body: bytes, more: bool = True):
    return {"type": "http.request", "body": body, "more_body": more}


def _read(exchange, limits=LIMITS):
    body = asyncio.run(spooled(exchange, limits))
    with body.file:
        return body.file.read(), body.length


def test_the_pieces_become_one_body(exchange_of):
    exchange = exchange_of(
        [_piece(b"one "), _piece(b""), _piece(b"two", more=False)], {"Content-Length": "7"}
    )

    assert _read(exchange) == (b"one two", 7)


def test_a_chunked_body_gets_a_length(exchange_of):
    pieces = [_piece(b"x" * 700_000) for _ in range(4)] + [_piece(b"", more=False)]

    content, length = _read(exchange_of(pieces, {"Transfer-Encoding": "chunked"}))

    assert (len(content), length) == (2_800_000, 2_800_000)


def test_a_request_without_a_body_is_not_waited_for(exchange_of):
    assert _read(exchange_of([])) == (b"", 0)
    assert _read(exchange_of([], {"Content-Length": "0"})) == (b"", 0)


def test_an_announced_giant_is_refused_before_a_byte_is_read(exchange_of):
    pieces = [_piece(b"never read", more=False)]
    with pytest.raises(TooLarge):
        _read(exchange_of(pieces, {"Content-Length": "3000001"}))

    assert len(pieces) == 1


def test_an_unannounced_giant_is_refused_when_it_passes_the_limit(exchange_of):
    pieces = [_piece(b"x" * 1_000_000) for _ in range(50)]
    with pytest.raises(TooLarge):
        _read(exchange_of(pieces, {"Transfer-Encoding": "chunked"}))

    assert len(pieces) == 46


def test_a_sender_who_falls_silent_is_given_up(exchange_of):
    with pytest.raises(TooSlow):
        _read(exchange_of([_piece(b"x"), 60.0], {"Content-Length": "2"}))


def test_a_sender_who_drips_is_given_up_at_the_deadline(exchange_of):
    drip = [item for _ in range(1000) for item in (0.02, _piece(b"x"))]
    with pytest.raises(TooSlow):
        _read(
            exchange_of(drip, {"Content-Length": "1000"}),
            Limits(max_bytes=2000, total_s=0.3, stall_s=10),
        )


def test_a_sender_who_leaves_is_let_go(exchange_of):
    with pytest.raises(Gone):
        _read(exchange_of([_piece(b"x"), {"type": "http.disconnect"}], {"Content-Length": "2"}))
