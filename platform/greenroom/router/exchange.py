"""One request on its way through the router, and the few ways to answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[str, str]]

_MARK = "greenroom.exchange"
BODY_LOST = "greenroom.body_lost"


class TooSlow(Exception):
    """The other side sends or reads nothing any more."""


@dataclass(slots=True)
class Exchange:
    """`key_id` is set once somebody has authenticated; it goes into the access line."""

    scope: Scope
    receive: Receive
    raw_send: Send
    request_id: str
    raw_headers: Headers
    key_id: str = ""
    status: int = 0
    _gone: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.scope["query_string"].decode("ascii"), keep_blank_values=True)

    @property
    def started(self) -> bool:
        return self.status != 0

    def header(self, name: str) -> str | None:
        """Repeated headers are joined, so that a second one never passes unseen."""
        wanted = name.lower().encode("ascii")
        values = [value for key, value in self.scope["headers"] if key == wanted]
        return b", ".join(values).decode("latin-1") if values else None

    async def send(self, message: Message) -> None:
        """What every answer passes through, Django's too."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            own = (b"x-request-id", self.request_id.encode("ascii"))
            kept = [item for item in message.get("headers", ()) if item[0].lower() != own[0]]
            message = {**message, "headers": [*kept, own]}
        await self.raw_send(message)

    async def start(self, status: int, headers: Headers) -> None:
        """Begin a raw answer: the security headers come by themselves."""
        pairs = [
            (name.lower().encode("ascii"), value.encode("latin-1"))
            for name, value in (*headers, *self.raw_headers)
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})

    async def body(self, chunk: bytes, *, more: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def answer(self, status: int, headers: Headers, content: bytes = b"") -> None:
        await self.start(status, [*headers, ("Content-Length", str(len(content)))])
        await self.body(b"" if self.method == "HEAD" else content)

    async def push(self, chunk: bytes, *, within_s: float) -> None:
        """A piece of a long answer. Raises TooSlow where the reader does not take it in time."""
        try:
            async with asyncio.timeout(within_s):
                await self.body(chunk, more=True)
        except TimeoutError:
            self.drop()
            raise TooSlow from None

    def drop(self) -> None:
        """Cut the connection now. ASGI has no word for it and a close waits for a reader that does
        not read, so uvicorn's transport is reached through the bound method it gave us."""
        transport = getattr(getattr(self.raw_send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    @property
    def is_gone(self) -> bool:
        return self._gone is not None and self._gone.done()

    def watch(self, then: Callable[[], None] | None = None) -> None:
        """Notice a disconnect (uvicorn's send says nothing); `forget` ends it."""
        self._gone = asyncio.create_task(self._until_gone())
        if then is not None:
            self._gone.add_done_callback(lambda _task: then())

    async def forget(self) -> None:
        if self._gone is not None:
            self._gone.cancel()
            with suppress(asyncio.CancelledError):
                await self._gone

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


def mark(scope: Scope, exchange: Exchange) -> Scope:
    """A copy of the scope that leads back to its exchange."""
    return {**scope, _MARK: exchange}


def note_credential(environ: MutableMapping[str, Any], key_id: str) -> None:
    """For Django's side: names the credential in the access line. Elsewhere it does nothing."""
    exchange = environ.get("asgi.scope", {}).get(_MARK)
    if exchange is not None:
        exchange.key_id = key_id


def is_body_lost(environ: Mapping[str, Any]) -> bool:
    """For Django's side: the disk was full when this request's body came. It has to say so."""
    return bool(environ.get("asgi.scope", {}).get(BODY_LOST))
