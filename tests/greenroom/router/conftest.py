"""A router with pretended neighbours: an ASGI driver for small things, uvicorn for real ones."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from accounts.credentials.rules import Letter, digest, new_token, session_digest
from core.ids import new_id, read_id, shown
from generation.jobs.rules import preview_key
from greenroom.router.app import Router, Routes
from greenroom.router.authentication import Authentication, CredentialRow
from greenroom.router.bridge import Django
from greenroom.router.events import Events
from greenroom.router.exchange import Exchange
from greenroom.router.exports import Exports
from greenroom.router.health import Health
from greenroom.router.hub import Hub, JobNow
from greenroom.router.media import HeldBack, Media, Opening
from greenroom.router.options import Options
from greenroom.router.previews import Previews
from greenroom.router.problems import Unavailable
from greenroom.router.proxies import TrustedProxies
from greenroom.router.references import References
from greenroom.router.replay import Happening, News, Position, before
from greenroom.router.senders import sender
from greenroom.router.spool import Limits
from greenroom.router.videos import Content, Videos
from greenroom.router.wire import Bounded
from greenroom.router.workers import WorkerFiles, WorkerRow

PEPPER = "a pepper"
FAR = datetime(2100, 1, 1, tzinfo=UTC)
PROGRAMME = new_id()


@dataclass
class Rows:
    """The SQL functions, out of dictionaries. `away` is a database that does not answer."""

    away: bool = False
    asked: int = 0
    by_session_digest: dict[str, CredentialRow] = field(default_factory=dict)
    by_key_id: dict[str, CredentialRow] = field(default_factory=dict)
    renditions: dict[UUID, tuple[UUID, Opening]] = field(default_factory=dict)
    archives: dict[UUID, tuple[UUID, Opening]] = field(default_factory=dict)
    references: dict[UUID, tuple[UUID, Opening]] = field(default_factory=dict)
    videos: dict[tuple[UUID, str], tuple[UUID, Content]] = field(default_factory=dict)
    viewers: dict[tuple[UUID, UUID], str] = field(default_factory=dict)
    held: dict[tuple[UUID, UUID], HeldBack] = field(default_factory=dict)
    recorded: list[tuple[UUID, UUID]] = field(default_factory=list)
    released: dict[UUID, set[bytes | None]] = field(default_factory=dict)
    recorded_public: list[tuple[UUID, bytes | None]] = field(default_factory=list)
    jobs: dict[UUID, JobNow] = field(default_factory=dict)
    looks: list[tuple[float, UUID]] = field(default_factory=list)
    happened: list[tuple[UUID, Happening]] = field(default_factory=list)
    watermark: int = 1
    migrated: bool = True

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable

    async def by_session(self, session: str) -> CredentialRow | None:
        self._ask()
        return self.by_session_digest.get(session)

    async def by_key(self, key_id: str) -> CredentialRow | None:
        self._ask()
        return self.by_key_id.get(key_id)

    async def opening(self, credential: Any, rendition_id: UUID) -> Opening | None:
        self._ask()
        owner, opening = self.renditions.get(rendition_id, (None, None))
        if opening is None:
            return None
        if owner == credential.party_id:
            return opening
        if (rendition_id, credential.party_id) in self.viewers:
            return replace(opening, is_owner=False)
        return None

    async def held_back(self, credential: Any, rendition_id: UUID) -> HeldBack | None:
        self._ask()
        return self.held.get((rendition_id, credential.party_id))

    async def public_opening(self, rendition_id: UUID, link: bytes | None) -> Opening | None:
        self._ask()
        if link not in self.released.get(rendition_id, set()):
            return None
        _owner, opening = self.renditions[rendition_id]
        return replace(opening, is_owner=False)

    async def archive(self, credential: Any, export_id: UUID) -> Opening | None:
        self._ask()
        owner, opening = self.archives.get(export_id, (None, None))
        return opening if owner == credential.party_id else None

    async def reference_picture(
        self, credential: Any, reference_id: UUID, *, is_end: bool
    ) -> Opening | None:
        self._ask()
        owner, opening = self.references.get(reference_id, (None, None))
        return opening if owner == credential.party_id else None

    async def video_content(self, credential: Any, job_id: UUID, variant: str) -> Content | None:
        self._ask()
        owner, content = self.videos.get((job_id, variant), (None, None))
        return content if owner == credential.party_id else None

    async def preview_key(self, credential: Any, job_id: UUID) -> str | None:
        self._ask()
        job = self.jobs.get(job_id)
        mine = job is not None and job.party_id == credential.party_id
        return preview_key(job_id) if mine and job.state == "running" else None

    async def worker_by_key(self, key_id: str) -> WorkerRow | None:
        self._ask()
        return None

    async def note_worker_use(self, credential_id: UUID) -> None: ...

    async def worker_attempt(self, credential_id: UUID, attempt_id: UUID, fence: int) -> None: ...

    async def needed_file(self, job_id: UUID, sha256: str) -> None: ...

    async def record_public(self, opening: Opening, link: bytes | None) -> None:
        self._ask()
        self.recorded_public.append((opening.rendition_id, link))

    async def record(self, credential: Any, opening: Opening) -> None:
        self._ask()
        self.recorded.append((opening.rendition_id, credential.party_id))

    async def live_jobs(self, party_id: UUID) -> list[JobNow]:
        self._ask()
        return [
            job
            for job in self.jobs.values()
            if job.party_id == party_id and job.state in ("queued", "running", "held")
        ]

    async def live_job(self, job_id: UUID) -> JobNow | None:
        self.looks.append((time.monotonic(), job_id))
        self._ask()
        return self.jobs.get(job_id)

    async def news(self, party_id: UUID, after: Position | None, *, most: int) -> News:
        self._ask()
        until = before(self.watermark)
        mine = [one for party, one in self.happened if party == party_id]
        is_held_back = any(one.xid >= self.watermark for one in mine)
        if after is None or after >= until:
            return News([], until, is_held_back=is_held_back)
        found = sorted(
            (one for one in mine if after < one.position < until), key=lambda one: one.position
        )
        if len(found) > most:
            return News(found[:most], found[most - 1].position, is_cut=True)
        return News(found, until, is_held_back=is_held_back)

    async def is_migrated(self, migrations: Any) -> bool:
        self._ask()
        return self.migrated

    # What tests put in.

    def add_token(
        self, party: UUID | None = None, scopes: tuple[str, ...] = ("clips:read",)
    ) -> str:
        parts, text = new_token(Letter.TESTER)
        self.by_key_id[parts.key_id] = self._row(
            "token", parts.key_id, party, scopes, digest(parts, PEPPER)
        )
        return text

    def add_session(self, party: UUID | None = None) -> str:
        cookie = f"session-{new_id().hex}"
        key_id = f"s{new_id().hex[-11:]}"
        self.by_session_digest[session_digest(cookie)] = self._row(
            "session", key_id, party, ("clips:read", "exports:read", "tokens:mint"), None
        )
        return cookie

    def _row(
        self, kind: str, key_id: str, party: UUID | None, scopes: Any, kept: bytes | None
    ) -> CredentialRow:
        return CredentialRow(
            credential_id=new_id(),
            kind=kind,
            key_id=key_id,
            party_id=party or new_id(),
            programme_id=None,
            digest=kept,
            pepper_id="1" if kept else "",
            state="active",
            expires_at=FAR,
            scopes=list(scopes),
            is_live=True,
        )

    def release(self, shown_id: str, *links: bytes | None) -> UUID:
        """On the showcase (None) or by these digests of links, and no other way."""
        rendition = read_id("rendition", shown_id)
        assert rendition is not None
        self.released[rendition] = set(links)
        return rendition

    def revoke_everything(self) -> None:
        for rows in (self.by_key_id, self.by_session_digest):
            for key, row in rows.items():
                rows[key] = replace(row, state="revoked", is_live=False)

    def add_job(self, party: UUID, **said: Any) -> JobNow:
        job = JobNow(
            **{
                "job_id": new_id(),
                "party_id": party,
                "programme_id": PROGRAMME,
                "state": "queued",
                "stage": "",
                "steps_done": 0,
                "steps": 20,
                "place": 1,
                "eta_s": 30,
                "clip_id": None,
                **said,
            }
        )
        self.jobs[job.job_id] = job
        return job

    def add_happening(self, party: UUID, kind: str = "job.finished", **said: Any) -> Happening:
        """Committed, and below the watermark unless the test holds that back."""
        facts = {
            "xid": self.watermark,
            "message_id": new_id(),
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "kind": kind,
            "subject_id": new_id(),
            "facts": {},
            "programme_id": None,
        }
        one = Happening(**{**facts, **said})
        self.happened.append((party, one))
        self.watermark = max(self.watermark, one.xid + 1)
        return one

    def add_file(self, folder: Path, owner: UUID, content: bytes, **said: Any) -> str:
        """A rendition with its file; its public id."""
        rendition = new_id()
        name = f"{rendition.hex}.mp4"
        (folder / name).write_bytes(content)
        opening = Opening(
            **{
                "rendition_id": rendition,
                "storage_path": name,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "media_type": "video/mp4",
                "filename": "clip.mp4",
                "is_owner": True,
                **said,
            }
        )
        self.renditions[rendition] = (owner, opening)
        return shown("rendition", rendition)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Stands for Django: says what it was given."""
    if environ["PATH_INFO"] == "/boom":
        raise RuntimeError("a secret detail")
    if environ["PATH_INFO"] == "/thread":
        return _named(start_response, threading.current_thread().name.encode())
    body = environ["wsgi.input"].read()
    lines = [
        f"{name}={environ.get(name, '-')}"
        for name in (
            "REQUEST_METHOD",
            "PATH_INFO",
            "QUERY_STRING",
            "CONTENT_LENGTH",
            "REMOTE_ADDR",
            "wsgi.url_scheme",
            "HTTP_X_REQUEST_ID",
            "HTTP_X_FORWARDED_FOR",
            "HTTP_X_FORWARDED_HOST",
            "HTTP_PROXY",
            "HTTP_COOKIE",
        )
    ]
    lines.append(f"body={len(body)}:{hashlib.sha256(body).hexdigest()}")
    return _named(start_response, "\n".join(lines).encode())


def _named(start_response: Callable[..., Any], content: bytes) -> list[bytes]:
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    )
    return [content]


@dataclass
class House:
    """Router and hub of one test, and what they were built from."""

    rows: Rows
    hub: Hub
    router: Router
    media_folder: Path
    loop: asyncio.AbstractEventLoop | None = None

    def tell(self, job: JobNow) -> None:
        """The job changed and the database says so, as NOTIFY does."""
        self.rows.jobs[job.job_id] = job
        payload = f'{{"party": "{job.party_id}", "kind": "job", "id": "{job.job_id}"}}'
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.hub.hear, payload)

    def say(self, party: UUID) -> None:
        """Something happened to the party, and the database says so."""
        payload = f'{{"party": "{party}", "kind": "case", "id": "{new_id()}", "said": "x.y"}}'
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.hub.hear, payload)

    def on_loop(self, work: Any) -> Any:
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)


def build_house(
    media_folder: Path,
    *,
    wsgi: Any = echo,
    limits: Limits | None = None,
    options: Options | None = None,
    rows: Rows | None = None,
) -> House:
    rows = rows or Rows()
    options = replace(options or Options(), media_folder=media_folder)
    authentication = Authentication(
        rows, pepper=lambda _pepper_id: PEPPER, cookie=options.session_cookie
    )
    hub = Hub(rows, authentication.is_still_live)
    backend = sender(options)
    django = Django(
        wsgi,
        proxies=TrustedProxies(options.trusted_proxies),
        limits=limits or Limits(options.max_body_bytes),
    )

    @asynccontextmanager
    async def lifespan():
        confirming = asyncio.create_task(hub.keep_confirming())
        try:
            yield
        finally:
            confirming.cancel()
            backend.close()
            django.close()

    routes = Routes(
        django=django,
        events=Events(authentication.credential, hub),
        media=(media := Media(authentication.credential, rows, backend)),
        exports=Exports(authentication.credential, rows, media),
        previews=Previews(authentication.credential, rows, media_folder),
        references=(references := References(authentication.credential, rows, media)),
        videos=Videos(authentication.credential, rows, media, references),
        workers=WorkerFiles(
            rows, pepper=lambda _pepper_id: PEPPER, folder=media_folder, given={"media": media}
        ),
        health=Health(rows, lambda: [("core", "0001_initial")]),
    )
    return House(rows, hub, Router(routes, options, lifespan), media_folder)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes


async def ask(
    router: Router,
    path: str = "/",
    *,
    method: str = "GET",
    query: bytes = b"",
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    messages: list[dict[str, Any]] | None = None,
    client: tuple[str, int] | None = ("127.0.0.1", 5000),
) -> Answer:
    """One request through ASGI, without a server."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("Host", "localhost"))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query,
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": client,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
    }
    waiting = list(messages or [{"type": "http.request", "body": b"", "more_body": False}])
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await router(scope, receive, send)
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


@dataclass
class Served:
    house: House
    port: int

    def connect(self, **options: Any) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, **options)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, path: str, *, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def house(tmp_path: Path, rows: Rows) -> House:
    return build_house(tmp_path, rows=rows)


@dataclass
class Switchboard:
    """One server for all tests: starting and stopping uvicorn takes longer than most of them."""

    port: int
    loop: asyncio.AbstractEventLoop | None = None
    router: Router | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self.loop = asyncio.get_running_loop()
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            assert self.router is not None
            await self.router(scope, receive, send)


@pytest.fixture(scope="session")
def switchboard() -> Iterator[Switchboard]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    board = Switchboard(listening.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            board,
            http=Bounded,
            ws="none",
            lifespan="on",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield board
    server.should_exit = True
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture
def serve(switchboard: Switchboard) -> Iterator[Callable[[House], Served]]:
    """Puts a house behind uvicorn on a loopback port, in a thread of its own."""
    living = []

    def start(house: House) -> Served:
        house.loop = switchboard.loop
        lifespan = house.router._lifespan()
        house.on_loop(lifespan.__aenter__())
        living.append((house, lifespan))
        switchboard.router = house.router
        return Served(house, switchboard.port)

    yield start
    for house, lifespan in living:
        house.on_loop(lifespan.__aexit__(None, None, None))


@pytest.fixture
def served(serve: Callable[[House], Served], house: House) -> Served:
    return serve(house)


@pytest.fixture
def asks() -> Callable[..., Answer]:
    """`asks(router, "/path", …)`: one request through ASGI, from a test that is not async."""

    def run(router: Router, path: str = "/", **said: Any) -> Answer:
        return asyncio.run(ask(router, path, **said))

    return run


@pytest.fixture
def build() -> Callable[..., House]:
    return build_house


@pytest.fixture
def exchange_of() -> Callable[..., Exchange]:
    """An exchange whose other side sends these messages and then nothing."""

    def make(messages: list[Any], headers: dict[str, str] | None = None) -> Exchange:
        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()
            message = messages.pop(0)
            if isinstance(message, float):
                await asyncio.sleep(message)
                return await receive()
            return message

        async def send(_message: Any) -> None: ...

        pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": pairs}
        return Exchange(scope, receive, send, "0" * 32, [])

    return make
