"""Reads a whole body before a WSGI thread is taken.

Without this a slow sender holds a thread (eight stalled posts blocked everybody), and a chunked
body, which has no length, reaches Django empty.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from greenroom.router.exchange import Exchange, Message, TooSlow

_IN_MEMORY = 1024 * 1024


class TooLarge(Exception):
    """More than the limit, announced or sent."""


class Gone(Exception):
    """The sender left before the body was whole."""


@dataclass(frozen=True)
class Limits:
    """`total_s` for the whole body, `stall_s` for the silence between two pieces of it."""

    max_bytes: int
    total_s: float = 30.0
    stall_s: float = 10.0


@dataclass(frozen=True)
class Body:
    file: IO[bytes]
    length: int


async def spooled(exchange: Exchange, limits: Limits) -> Body:
    """The whole body, rewound; the caller closes the file. Raises TooLarge, TooSlow or Gone."""
    announced = exchange.header("content-length")
    if exchange.header("transfer-encoding") is None and announced in (None, "0"):
        return Body(BytesIO(), 0)
    if announced is not None and announced.isdigit() and int(announced) > limits.max_bytes:
        raise TooLarge  # before a byte is asked for: with Expect: 100-continue none was sent
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed by the caller)
    try:
        length = await _fill(file, exchange, limits)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Body(file, length)


async def _fill(file: IO[bytes], exchange: Exchange, limits: Limits) -> int:
    length, until = 0, time.monotonic() + limits.total_s
    while True:
        message = await _next_piece(exchange, min(limits.stall_s, until - time.monotonic()))
        piece = message.get("body", b"")
        length += len(piece)
        if length > limits.max_bytes:
            raise TooLarge
        if length <= _IN_MEMORY:
            file.write(piece)
        else:  # this one may touch the disk
            await asyncio.to_thread(file.write, piece)
        if not message.get("more_body"):
            return length


async def _next_piece(exchange: Exchange, within_s: float) -> Message:
    try:
        async with asyncio.timeout(within_s):
            message = await exchange.receive()
    except TimeoutError:
        raise TooSlow from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message
