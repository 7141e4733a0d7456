"""To Django: the body whole, the headers cleaned, then a thread of its own through a2wsgi."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

from a2wsgi import WSGIMiddleware

from greenroom.router.exchange import BODY_LOST, Exchange, Message, Scope, TooSlow, mark
from greenroom.router.problems import TOO_LARGE, TOO_SLOW, refuse, refuse_a_sender
from greenroom.router.proxies import TrustedProxies
from greenroom.router.spool import Body, Gone, Limits, TooLarge, spooled

log = logging.getLogger(__name__)

THREADS = 16
_BODY = "greenroom.body"
_READER_STALL_S = 60.0
# A piece waits here, not in a thread: only long streamed answers ever fill it.
_PIECES_WAITING = 64

# What the router has digested already, or what a client could only send to deceive.
_NOT_FOR_DJANGO = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"forwarded",
        b"proxy",  # httpoxy: it would become HTTP_PROXY
        b"transfer-encoding",
        b"x-real-ip",
        b"x-request-id",
    }
)

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Django:
    def __init__(self, wsgi: WsgiApplication, *, proxies: TrustedProxies, limits: Limits) -> None:
        self._proxies = proxies
        self._limits = limits
        # Looked for once, by writing a file there: on a full disk none would be found later.
        tempfile.gettempdir()
        # Any: a2wsgi types each ASGI message by name, which nobody else's code matches.
        application: Any = _reading_the_file(wsgi)
        self._app: Any = WSGIMiddleware(
            application, workers=THREADS, send_queue_size=_PIECES_WAITING
        )

    async def __call__(self, exchange: Exchange) -> None:
        try:
            body = await spooled(exchange, self._limits)
        except Gone:
            return
        except TooSlow:
            await refuse(exchange, TOO_SLOW)
            return
        except TooLarge:
            await refuse_a_sender(exchange, TOO_LARGE)
            return
        try:
            scope = self._scope(exchange, body)
            await self._app(scope, exchange.receive, _Patient(exchange))
        finally:
            body.file.close()

    def close(self) -> None:
        self._app.executor.shutdown(wait=False, cancel_futures=True)

    def _scope(self, exchange: Exchange, body: Body) -> Scope:
        client = self._proxies.client_of(exchange.scope)
        headers = [item for item in exchange.scope["headers"] if _is_for_django(item[0])]
        headers.append((b"x-request-id", exchange.request_id.encode("ascii")))
        if exchange.header("content-length") is not None or body.length:
            headers.append((b"content-length", b"%d" % body.length))
        scope = mark(exchange.scope, exchange)
        scope.update(
            headers=headers,
            client=(client.address, client.port),
            scheme=client.scheme,
        )
        scope[_BODY] = body.file
        scope[BODY_LOST] = not body.has_room
        return scope


class _Patient:
    """Never raises into a2wsgi, whose thread would wait for ever for the next piece to be taken."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._given_up = False

    async def __call__(self, message: Message) -> None:
        if self._given_up:
            return
        try:
            async with asyncio.timeout(_READER_STALL_S):
                await self._exchange.send(message)
        except (TimeoutError, OSError):
            self._given_up = True
            self._exchange.drop()
            log.warning("a reader stopped reading", extra={"path": self._exchange.path})


def _is_for_django(name: bytes) -> bool:
    """An underscore would forge: WSGI writes `X_Request_Id` and `X-Request-Id` alike."""
    return b"_" not in name and not name.startswith(b"x-forwarded-") and name not in _NOT_FOR_DJANGO


def _reading_the_file(wsgi: WsgiApplication) -> WsgiApplication:
    """Django reads the spooled file in its own thread, not piece by piece through the loop."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"] = environ["asgi.scope"][_BODY]
        return wsgi(environ, start_response)

    return application
