"""The router: one ASGI application in front of everything.

Live events, media and health are answered here; the rest goes to Django in threads. Every request,
whoever answers it, passes the Host check, gets an id and leaves one access line.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.http.request import split_domain_port, validate_host

from core import trace
from core.ids import new_id
from greenroom.headers import security_headers
from greenroom.router import problems
from greenroom.router.access import write_line
from greenroom.router.authentication import Authentication
from greenroom.router.bridge import Django, WsgiApplication
from greenroom.router.database import Database
from greenroom.router.events import Events
from greenroom.router.exchange import Exchange, Receive, Scope, Send
from greenroom.router.exports import Exports
from greenroom.router.health import Health, migrations_on_disk
from greenroom.router.hub import Hub
from greenroom.router.listener import Listener
from greenroom.router.media import Media
from greenroom.router.options import Options
from greenroom.router.previews import Previews
from greenroom.router.problems import Unavailable, refuse
from greenroom.router.proxies import TrustedProxies
from greenroom.router.references import References
from greenroom.router.senders import Disk, FromHere, sender
from greenroom.router.spool import Limits
from greenroom.router.videos import Videos
from greenroom.router.workers import WorkerFiles

log = logging.getLogger(__name__)

# The page of a share link is Django's, its files are not.
_SHARED_FILE = re.compile(r"/shared/(?P<secret>[^/]+)/(?P<name>[^/]+)\Z")
_ARCHIVE = re.compile(r"/exports/(?P<name>[^/]+)/file\Z")
_PREVIEW = re.compile(r"/jobs/(?P<name>[^/]+)/preview\Z")
_VIDEO = re.compile(r"/v1/videos/(?P<name>[^/]+)/content\Z")
_FILE = re.compile(r"/v1/files/(?P<name>[^/]+)/content\Z")
_REFERENCE = re.compile(r"/references/(?P<name>[^/]+)/(?P<which>picture|end)\Z")

Answer = Callable[[Exchange, re.Match[str]], Awaitable[None]]
Lifespan = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Routes:
    django: Django
    events: Events
    media: Media
    exports: Exports
    previews: Previews
    references: References
    videos: Videos
    workers: WorkerFiles
    health: Health


def _named(routes: Routes) -> list[tuple[re.Pattern[str], Answer]]:
    return [
        (_SHARED_FILE, lambda to, at: routes.media.by_link(to, at["secret"], at["name"])),
        (_ARCHIVE, lambda to, at: routes.exports(to, at["name"])),
        (_PREVIEW, lambda to, at: routes.previews(to, at["name"])),
        (
            _REFERENCE,
            lambda to, at: routes.references(to, at["name"], is_end=at["which"] == "end"),
        ),
        (_VIDEO, lambda to, at: routes.videos(to, at["name"])),
        (_FILE, lambda to, at: routes.videos.file(to, at["name"])),
    ]


class Router:
    """An ASGI 3 application. `lifespan` is entered when the server starts, left when it stops."""

    def __init__(self, routes: Routes, options: Options, lifespan: Lifespan) -> None:
        self._routes = routes
        self._options = options
        self._lifespan = lifespan
        self._raw_headers = security_headers(options.mode)
        self._health = {"/health/live": routes.health.live, "/health/ready": routes.health.ready}
        self._named = _named(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_id().hex
        trace.request_id.set(request_id)
        exchange = Exchange(scope, receive, send, request_id, self._raw_headers)
        began = time.perf_counter()
        try:
            await self._answer(exchange)
        except Unavailable:
            await self._late_refusal(exchange, problems.NOT_READY)
        except Exception:
            log.exception("a request failed")
            await self._late_refusal(exchange, problems.BROKEN)
        finally:
            write_line(exchange, ms=(time.perf_counter() - began) * 1000)

    async def _answer(self, exchange: Exchange) -> None:
        refusal = self._refusal(exchange)
        if refusal is not None:
            await refuse(exchange, refusal)
        elif exchange.path == "/events":
            await self._routes.events(exchange)
        elif exchange.path.startswith("/media/"):
            await self._routes.media(exchange, exchange.path.removeprefix("/media/"))
        elif exchange.path.startswith("/worker/"):
            await self._routes.workers(exchange)
        elif health := self._health.get(exchange.path):
            await health(exchange)
        else:
            await self._file_or_page(exchange)

    async def _file_or_page(self, exchange: Exchange) -> None:
        """What has a name in its address, else Django's."""
        for pattern, answer in self._named:
            found = pattern.match(exchange.path)
            if found is not None:
                await answer(exchange, found)
                return
        await self._routes.django(exchange)

    def _refusal(self, exchange: Exchange) -> problems.Problem | None:
        """What is refused whoever asks, before anything is looked at."""
        if not self._is_ours(exchange):
            return problems.BAD_HOST
        if not exchange.scope["query_string"].isascii():
            return problems.BAD_REQUEST
        if _names_a_credential(exchange.scope["query_string"].decode("ascii")):
            return problems.CREDENTIAL_IN_URL
        return None

    def _is_ours(self, exchange: Exchange) -> bool:
        hosts = [value for name, value in exchange.scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        domain, _port = split_domain_port(hosts[0].decode("latin-1"))
        return bool(domain) and validate_host(domain, self._options.allowed_hosts)

    async def _late_refusal(self, exchange: Exchange, problem: problems.Problem) -> None:
        if not exchange.started:
            await refuse(exchange, problem)
        else:
            exchange.drop()  # the half that is out cannot be taken back; a cut says so

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._lifespan())
            except Exception as error:
                log.exception("the web process cannot start")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def application(
    wsgi: WsgiApplication,
    options: Options,
    *,
    database: Database,
    pepper: Callable[[str], str],
) -> Router:
    """Everything wired. Nothing is opened before the server starts."""
    authentication = Authentication(database, pepper=pepper, cookie=options.session_cookie)
    hub = Hub(database, authentication.is_still_live)
    listener = Listener(database.parameters, hear=hub.hear, connected=hub.refresh)
    backend = sender(options)
    models = FromHere(Disk(options.models_folder))
    django = Django(
        wsgi,
        proxies=TrustedProxies(options.trusted_proxies),
        limits=Limits(options.max_body_bytes),
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await database.open()
        tasks = [asyncio.create_task(listener.run()), asyncio.create_task(hub.keep_confirming())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await database.close()
            backend.close()
            models.close()
            django.close()

    media = Media(authentication.credential, database, backend)
    references = References(authentication.credential, database, media)
    routes = Routes(
        django=django,
        events=Events(authentication.credential, hub),
        media=media,
        exports=Exports(authentication.credential, database, media),
        previews=Previews(authentication.credential, database, options.media_folder),
        references=references,
        videos=Videos(authentication.credential, database, media, references),
        workers=WorkerFiles(
            database,
            pepper=pepper,
            folder=options.media_folder,
            given={"media": media, "models": Media(authentication.credential, database, models)},
        ),
        health=Health(database, migrations_on_disk),
    )
    return Router(routes, options, lifespan)


_CREDENTIAL_NAMES = frozenset(
    {"access_token", "api_key", "apikey", "authorization", "bearer", "greenroom_session", "token"}
)


def _names_a_credential(query: str) -> bool:
    """A credential in an address ends up in logs, histories and `Referer` headers of others."""
    return bool(query) and any(
        "grm_" in value or name.lower() in _CREDENTIAL_NAMES
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
