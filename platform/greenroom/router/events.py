"""GET /events: server-sent events of the party's own jobs, and of what happened to it.

The stream begins with the jobs that are live now (`event: job` each, then `event: snapshot` with
their ids) and goes on with changes. These say a state, and carry no ids of their own. What happened
(`event: job.finished`, `event: case.decided` …) carries one: with `Last-Event-ID` a stream begins
with what came after it. Where that is too much, `event: missed` says so, and the snapshot begins
anew. An id that no stream of ours ever gave is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from accounts.credentials.rules import Scope
from greenroom.router import problems
from greenroom.router.authentication import Credential
from greenroom.router.exchange import Exchange, TooSlow
from greenroom.router.hub import Hub, Stream, TooManyStreams
from greenroom.router.problems import refuse
from greenroom.router.replay import Position, read_position

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
READER_STALL_S = 15.0
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": still here\n\n"
_HEADERS = [
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),  # a proxy that collects events delivers none
]


class Events:
    def __init__(
        self, authenticate: Callable[[Exchange], Awaitable[Credential | None]], hub: Hub
    ) -> None:
        self._authenticate = authenticate
        self._hub = hub

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.method != "GET":
            await refuse(exchange, problems.GET_ONLY)
            return
        credential = await self._authenticate(exchange)
        if credential is None:
            await refuse(exchange, problems.NOT_SIGNED_IN)
        elif not credential.carries(Scope.CLIPS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
        else:
            await self._resume(exchange, credential)

    async def _resume(self, exchange: Exchange, credential: Credential) -> None:
        said = exchange.header("last-event-id")
        after = read_position(said) if said else None
        if said and after is None:
            await refuse(exchange, problems.EVENT_ID_INVALID)
        else:
            await self._open(exchange, credential, after)

    async def _open(
        self, exchange: Exchange, credential: Credential, after: Position | None
    ) -> None:
        try:
            stream = await self._hub.join(credential, after)
        except TooManyStreams:
            await refuse(exchange, problems.TOO_MANY_STREAMS)
            return
        exchange.watch(then=lambda: stream.close("left"))
        try:
            await exchange.start(HTTPStatus.OK, _HEADERS)
            await _follow(exchange, stream)
        except TooSlow:
            log.info("a slow listener was dropped")
        finally:
            self._hub.leave(stream)
            await exchange.forget()


async def _follow(exchange: Exchange, stream: Stream) -> None:
    await exchange.push(_RETRY, within_s=READER_STALL_S)
    while not stream.closed:
        stream.wake.clear()
        events = stream.take(asyncio.get_running_loop().time())
        if not events and await _woken(stream):
            continue
        await exchange.push(events or _HEARTBEAT, within_s=READER_STALL_S)
    if not exchange.is_gone:
        await exchange.body(b"")


async def _woken(stream: Stream) -> bool:
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            await stream.wake.wait()
    except TimeoutError:
        return False
    return True
