"""GET and HEAD of a rendition: authorised at every open, then sent by one of the back ends.

``/media/<rendition id>`` is for its owner, for staff who said why, and for everybody while it is on
the showcase; ``/shared/<secret>/<rendition id>`` for whoever has a link that is not revoked.

The order matters: who asks, may they, is the file whole, do they have it already, and only then is
the opening recorded and a byte sent. Whoever cannot be recorded sees nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
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
from review.releases.rules import digest_of

log = logging.getLogger(__name__)


class FileVanished(Exception):
    """The row is there, the file is not."""


class FileDamaged(Exception):
    """The file has another size than the row says."""


@dataclass(frozen=True)
class Opening:
    """What may be sent to this viewer, and how it is described. `cache` is a Cache-Control value:
    every use asks again, so that a revoked credential and a release taken down end here too."""

    rendition_id: UUID
    storage_path: str
    size: int
    sha256: str
    media_type: str
    filename: str
    is_owner: bool
    cache: str = "private, no-cache"
    is_download: bool = False

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


@dataclass(frozen=True)
class HeldBack:
    """One row of ``file_held_back``; ``reason`` is the last decision's own, empty before one."""

    code: str
    reason: str

    def problem(self) -> problems.Problem:
        if self.code == problems.PENDING_REVIEW.code:
            return problems.PENDING_REVIEW
        said = f"{problems.REJECTED.detail} {self.reason}".strip()
        return replace(problems.REJECTED, detail=said)


class Openings(Protocol):
    async def opening(self, credential: Credential, rendition_id: UUID) -> Opening | None:
        """None for absent and for forbidden: nobody can tell which."""
        ...

    async def held_back(self, credential: Credential, rendition_id: UUID) -> HeldBack | None:
        """Why an owner does not get a file of their own clip; None for every other."""
        ...

    async def public_opening(self, rendition_id: UUID, link: bytes | None) -> Opening | None:
        """What anybody may receive: on the showcase, or by a link (the SHA-256 of its secret)."""
        ...

    async def record(self, credential: Credential, opening: Opening) -> None: ...

    async def record_public(self, opening: Opening, link: bytes | None) -> None: ...


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
Record = Callable[[Opening], Awaitable[None]]


@dataclass(frozen=True)
class Allowed:
    """An opening, and how it is written down; an owner's own is not."""

    opening: Opening
    record: Record | None


class Media:
    def __init__(self, authenticate: Authenticate, openings: Openings, backend: Backend) -> None:
        self._authenticate = authenticate
        self._openings = openings
        self._backend = backend

    async def __call__(self, exchange: Exchange, name: str) -> None:
        if not await is_reading(exchange):
            return
        credential = await self._authenticate(exchange)
        rendition_id = read_id("rendition", name)
        allowed = await self._as_member(credential, rendition_id)
        if allowed is None:
            allowed = await self._as_anybody(rendition_id, link=None)
        if allowed is None:
            await refuse(exchange, await self._why_not(credential, rendition_id))
        else:
            await self.open(exchange, allowed)

    async def by_link(self, exchange: Exchange, secret: str, name: str) -> None:
        """Whoever has the link needs no name; every dead link looks like one that never was."""
        if not await is_reading(exchange):
            return
        link, rendition_id = digest_of(secret), read_id("rendition", name)
        allowed = await self._as_anybody(rendition_id, link) if link else None
        if allowed is None:
            await refuse(exchange, problems.NOT_FOUND)
            return
        mine = await self._as_member(await self._authenticate(exchange), rendition_id)
        # An owner who tries their own link is not the public.
        is_owner = mine is not None and mine.opening.is_owner
        await self.open(exchange, mine if mine is not None and is_owner else allowed)

    async def _as_member(
        self, credential: Credential | None, rendition_id: UUID | None
    ) -> Allowed | None:
        if credential is None or rendition_id is None or not credential.carries(Scope.CLIPS_READ):
            return None
        opening = await self._openings.opening(credential, rendition_id)
        if opening is None:
            return None
        if opening.is_owner:
            return Allowed(opening, None)
        return Allowed(opening, lambda shown: self._openings.record(credential, shown))

    async def _as_anybody(self, rendition_id: UUID | None, link: bytes | None) -> Allowed | None:
        if rendition_id is None:
            return None
        opening = await self._openings.public_opening(rendition_id, link)
        if opening is None:
            return None
        return Allowed(opening, lambda shown: self._openings.record_public(shown, link))

    async def _why_not(
        self, credential: Credential | None, rendition_id: UUID | None
    ) -> problems.Problem:
        if credential is None:
            return problems.NOT_SIGNED_IN
        if not credential.carries(Scope.CLIPS_READ):
            return problems.WRONG_SCOPE
        held = await self._openings.held_back(credential, rendition_id) if rendition_id else None
        return problems.NOT_FOUND if held is None else held.problem()

    async def open(self, exchange: Exchange, allowed: Allowed) -> None:
        """Send it, or say that the file is gone or damaged."""
        opening = allowed.opening
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
            await self._deliver(exchange, allowed, delivery)
        finally:
            delivery.close()

    async def _deliver(self, exchange: Exchange, allowed: Allowed, delivery: Delivery) -> None:
        opening = allowed.opening
        headers = _described(exchange, opening)
        try:
            part = _part(exchange, opening)
        except Unsatisfiable:
            beyond = ("Content-Range", f"bytes */{opening.size}")
            await exchange.answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, [*headers, beyond])
            return
        if exchange.method == "GET" and allowed.record is not None:
            await allowed.record(opening)
        if is_unchanged(exchange.header("if-none-match"), opening.etag):
            await exchange.start(HTTPStatus.NOT_MODIFIED, headers)
            await exchange.body(b"")
            return
        await delivery.send(exchange, part, headers)


async def is_reading(exchange: Exchange) -> bool:
    if exchange.method in ("GET", "HEAD"):
        return True
    await refuse(exchange, problems.READ_ONLY)
    return False


def _described(exchange: Exchange, opening: Opening) -> Headers:
    download = opening.is_download or ("download", "1") in exchange.query
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
