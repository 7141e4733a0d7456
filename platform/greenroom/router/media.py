"""GET and HEAD /media/<rendition id>: authorised at every open, then sent by one of the back ends.

The order matters: who asks, may they, is the file whole, do they have it already, and only then is
the opening recorded and a byte sent. Whoever cannot be recorded sees nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from django.utils.http import content_disposition_header

from accounts.credentials.rules import Scope
from core.ids import read_id
from greenroom.router import problems
from greenroom.router.authentication import Credential
from greenroom.router.exchange import Exchange, Headers
from greenroom.router.problems import refuse
from greenroom.router.ranges import Part, Unsatisfiable, asked_part, is_unchanged, may_be_partial

log = logging.getLogger(__name__)


class FileVanished(Exception):
    """The row is there, the file is not."""


class FileDamaged(Exception):
    """The file has another size than the row says."""


@dataclass(frozen=True)
class Opening:
    """What may be sent to this viewer, and how it is described. `cache` is a Cache-Control value:
    every use asks again, so that a revoked credential ends here too."""

    rendition_id: UUID
    storage_path: str
    size: int
    sha256: str
    media_type: str
    filename: str
    is_owner: bool
    cache: str = "private, no-cache"

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


class Openings(Protocol):
    async def opening(self, credential: Credential, rendition_id: UUID) -> Opening | None:
        """None for absent and for forbidden: nobody can tell which."""
        ...

    async def record(self, credential: Credential, opening: Opening) -> None: ...


class Delivery(Protocol):
    """A rendition that is surely there, ready to go out once."""

    async def send(self, exchange: Exchange, part: Part | None, headers: Headers) -> None: ...

    def close(self) -> None: ...


class Backend(Protocol):
    """How the bytes get out. One for each way: ours, the proxy's, later a storage's signed URL."""

    async def ready(self, opening: Opening) -> Delivery:
        """Raises FileVanished or FileDamaged."""
        ...

    def close(self) -> None: ...


Authenticate = Callable[[Exchange], Awaitable[Credential | None]]


class Media:
    def __init__(self, authenticate: Authenticate, openings: Openings, backend: Backend) -> None:
        self._authenticate = authenticate
        self._openings = openings
        self._backend = backend

    async def __call__(self, exchange: Exchange, name: str) -> None:
        if exchange.method not in ("GET", "HEAD"):
            await refuse(exchange, problems.READ_ONLY)
            return
        credential = await self._authenticate(exchange)
        if credential is None:
            await refuse(exchange, problems.NOT_SIGNED_IN)
        elif not credential.carries(Scope.CLIPS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
        else:
            await self._open(exchange, credential, read_id("rendition", name))

    async def _open(
        self, exchange: Exchange, credential: Credential, rendition_id: UUID | None
    ) -> None:
        opening = rendition_id and await self._openings.opening(credential, rendition_id)
        if not opening:
            await refuse(exchange, problems.NOT_FOUND)
            return
        facts = {"rendition": str(opening.rendition_id)}
        try:
            delivery = await self._backend.ready(opening)
        except FileVanished:
            log.error("a rendition's file is not there", extra=facts)  # noqa: TRY400
            await refuse(exchange, problems.FILE_GONE)
            return
        except FileDamaged:
            log.error("a rendition's file has the wrong size", extra=facts)  # noqa: TRY400
            await refuse(exchange, problems.FILE_DAMAGED)
            return
        try:
            await self._deliver(exchange, credential, opening, delivery)
        finally:
            delivery.close()

    async def _deliver(
        self, exchange: Exchange, credential: Credential, opening: Opening, delivery: Delivery
    ) -> None:
        headers = _described(exchange, opening)
        try:
            part = _part(exchange, opening)
        except Unsatisfiable:
            beyond = ("Content-Range", f"bytes */{opening.size}")
            await exchange.answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, [*headers, beyond])
            return
        if exchange.method == "GET" and not opening.is_owner:
            await self._openings.record(credential, opening)
        if is_unchanged(exchange.header("if-none-match"), opening.etag):
            await exchange.start(HTTPStatus.NOT_MODIFIED, headers)
            await exchange.body(b"")
            return
        await delivery.send(exchange, part, headers)


def _described(exchange: Exchange, opening: Opening) -> Headers:
    download = ("download", "1") in exchange.query
    name = "".join(sign for sign in opening.filename if sign.isprintable() and sign not in "/\\")
    return [
        ("Content-Type", opening.media_type),
        ("ETag", opening.etag),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", opening.cache),
        ("Vary", "Authorization, Cookie"),
        ("Content-Disposition", content_disposition_header(download, name) or "inline"),
    ]


def _part(exchange: Exchange, opening: Opening) -> Part | None:
    """Ranges belong to GET alone; a condition that says "you have it" goes before them."""
    if exchange.method != "GET" or not may_be_partial(exchange.header("if-range"), opening.etag):
        return None
    if is_unchanged(exchange.header("if-none-match"), opening.etag):
        return None
    return asked_part(exchange.header("range"), opening.size)
