"""Reads a whole body before a WSGI thread is taken.

Without this a slow sender holds a thread (eight stalled posts blocked everybody), and a chunked
body, which has no length, reaches Django empty.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from core.errors import is_storage_full
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
    """``has_room`` is False where the disk was full: then it is empty, what was sent is gone."""

    file: IO[bytes]
    length: int
    has_room: bool = True


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
    except BaseException as fault:
        with suppress(OSError):  # what could not be written then cannot be written now
            file.close()
        if is_storage_full(fault):
            return Body(BytesIO(), 0, has_room=False)
        raise
    return Body(file, length)


async def _fill(file: IO[bytes], exchange: Exchange, limits: Limits) -> int:
    """How long it was. Where the disk is full the rest is read all the same, and thrown away: a
    sender who is cut off never sees the answer."""
    length, until = 0, time.monotonic() + limits.total_s
    full: OSError | None = None
    while True:
        message = await _next_piece(exchange, min(limits.stall_s, until - time.monotonic()))
        piece = message.get("body", b"")
        length += len(piece)
        if length > limits.max_bytes:
            raise TooLarge
        if full is None:
            full = await _kept(file, piece, is_small=length <= _IN_MEMORY)
        if not message.get("more_body"):
            if full is not None:
                raise full
            return length


async def _kept(file: IO[bytes], piece: bytes, *, is_small: bool) -> OSError | None:
    try:
        if is_small:
            file.write(piece)
        else:  # this one may touch the disk
            await asyncio.to_thread(file.write, piece)
    except OSError as fault:
        if not is_storage_full(fault):
            raise
        return fault
    return None


async def _next_piece(exchange: Exchange, within_s: float) -> Message:
    try:
        async with asyncio.timeout(within_s):
            message = await exchange.receive()
    except TimeoutError:
        raise TooSlow from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message
