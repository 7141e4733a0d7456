"""Files of attempts that are under way on another machine, past Django.

``PUT /worker/attempts/<attempt>/<fence>/made/<name>`` takes what the attempt made,
``GET /worker/attempts/<attempt>/<fence>/needed/<sha256>`` gives what its order needs, and
``GET /worker/me`` says whose credential it is. No part of the API: only the house's own workers
speak here, each with the credential of its machine, each about an attempt that has its job now.

A file is hidden until it is whole and what its digest says; the same file once more is fine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from uuid import UUID

from accounts.credentials.rules import TokenParts, digest
from core.errors import is_storage_full
from generation.machines.rules import FILES, read_content_digest, read_worker_credential
from generation.media.files import Landing
from greenroom.router import problems
from greenroom.router.exchange import Exchange, TooSlow
from greenroom.router.media import Allowed, Media, Opening, is_reading
from greenroom.router.problems import Problem, refuse, refuse_a_sender
from greenroom.router.spool import Gone

log = logging.getLogger(__name__)

ME = "/worker/me"
_FILE = re.compile(
    r"/worker/attempts/(?P<attempt>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<fence>[0-9]{1,18})"
    r"/(?P<what>made|needed)/(?P<name>[a-z0-9.]{1,64})\Z"
)
_STALL_S = 30.0
_ASK_AGAIN_S = 10.0
_PIECE = 2**20


@dataclass(frozen=True)
class WorkerRow:
    """One row of ``worker_credential_by_key``."""

    credential_id: UUID
    machine: str
    key_id: str
    digest: bytes
    pepper_id: str
    is_live: bool


@dataclass(frozen=True)
class AttemptRow:
    """One row of ``worker_attempt``: its folder below the media folder; whether it has its job."""

    attempt_id: UUID
    job_id: UUID
    folder: str
    holds: bool


@dataclass(frozen=True)
class NeededRow:
    """One row of ``files_needed``; ``below`` is ``media`` or ``models``."""

    file_id: UUID
    sha256: str
    below: str
    storage_key: str
    size: int
    media_type: str

    def opening(self) -> Opening:
        return Opening(
            rendition_id=self.file_id,
            storage_path=self.storage_key,
            size=self.size,
            sha256=self.sha256,
            media_type=self.media_type,
            filename=self.sha256,
            is_owner=True,
            cache="private, no-store",
            is_download=True,
        )


class Workers(Protocol):
    async def worker_by_key(self, key_id: str) -> WorkerRow | None: ...

    async def note_worker_use(self, credential_id: UUID) -> None: ...

    async def worker_attempt(
        self, credential_id: UUID, attempt_id: UUID, fence: int
    ) -> AttemptRow | None:
        """None for an attempt of another machine, and once the credential is revoked."""
        ...

    async def needed_file(self, job_id: UUID, sha256: str) -> NeededRow | None: ...


class Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(frozen=True)
class Asked:
    """Which file of which attempt, and who asks."""

    worker: WorkerRow
    attempt_id: UUID
    fence: int
    name: str


class WorkerFiles:
    """``given`` sends what lies below the media folder and below the models folder."""

    def __init__(
        self,
        workers: Workers,
        *,
        pepper: Callable[[str], str],
        folder: Path,
        given: Mapping[str, Media],
    ) -> None:
        self._workers = workers
        self._pepper = pepper
        self._folder = folder.absolute()
        self._given = given

    async def __call__(self, exchange: Exchange) -> None:
        try:
            await self._answer(exchange)
        except Refused as refused:
            await refuse_a_sender(exchange, refused.problem)
        except TooSlow:
            await refuse(exchange, problems.TOO_SLOW)
        except Gone:
            return

    async def _answer(self, exchange: Exchange) -> None:
        worker = await self._authenticated(exchange)
        if exchange.path == ME:
            if await is_reading(exchange):
                await _say_who(exchange, worker)
            return
        named = _FILE.match(exchange.path)
        if named is None:
            raise Refused(problems.NOT_FOUND)
        asked = Asked(worker, UUID(named["attempt"]), int(named["fence"]), named["name"])
        if named["what"] == "needed":
            if await is_reading(exchange):
                await self._give(exchange, asked)
        elif exchange.method == "PUT":
            await self._take(exchange, asked)
        else:
            raise Refused(problems.PUT_ONLY)

    async def _authenticated(self, exchange: Exchange) -> WorkerRow:
        scheme, _, text = (exchange.header("authorization") or "").partition(" ")
        parts = read_worker_credential(text.strip()) if scheme.lower() == "bearer" else None
        row = await self._workers.worker_by_key(parts.key_id) if parts else None
        if parts is None or not self._opens(row, parts) or row is None or not row.is_live:
            raise Refused(problems.NOT_SIGNED_IN)
        exchange.key_id = row.key_id
        await self._workers.note_worker_use(row.credential_id)
        return row

    def _opens(self, row: WorkerRow | None, parts: TokenParts) -> bool:
        kept = row.digest if row else bytes(32)
        pepper = self._pepper(row.pepper_id if row else "")
        return hmac.compare_digest(digest(parts, pepper), kept)

    async def _held(self, asked: Asked) -> AttemptRow:
        attempt = await self._workers.worker_attempt(
            asked.worker.credential_id, asked.attempt_id, asked.fence
        )
        if attempt is None:
            raise Refused(problems.NOT_FOUND)
        if not attempt.holds:
            raise Refused(problems.LEASE_LOST)
        return attempt

    async def _give(self, exchange: Exchange, asked: Asked) -> None:
        attempt = await self._held(asked)
        file = await self._workers.needed_file(attempt.job_id, asked.name)
        if file is None:
            raise Refused(problems.NOT_FOUND)
        await self._given[file.below].open(exchange, Allowed(file.opening(), None))

    async def _take(self, exchange: Exchange, asked: Asked) -> None:
        largest = FILES.get(asked.name)
        if largest is None:
            raise Refused(problems.NOT_FOUND)
        folder = self._folder / (await self._held(asked)).folder
        file = _announced(exchange, largest)
        if await asyncio.to_thread(_stands, folder / asked.name, file):
            await self._received(exchange, asked, file, None)  # an answer was lost on its way
            await _done(exchange, HTTPStatus.OK)
            return
        try:
            await self._land(exchange, asked, file, folder)
        except OSError as fault:
            if not is_storage_full(fault):
                raise
            log.error("storage_full", extra={"attempt": str(asked.attempt_id)})  # noqa: TRY400
            raise Refused(problems.STORAGE_FULL) from fault

    async def _land(self, exchange: Exchange, asked: Asked, file: Announced, folder: Path) -> None:
        landing = await asyncio.to_thread(Landing, folder, asked.name)
        try:
            await self._received(exchange, asked, file, landing)
            if landing.digest.digest() != file.sha256:
                raise Refused(problems.DIGEST_WRONG)
            await self._held(asked)
            # False where the same attempt sent it twice at once, and the other was first.
            if not await asyncio.to_thread(landing.keep):
                await asyncio.to_thread(_stands, landing.path, file)
        finally:
            await asyncio.to_thread(landing.drop)
        await _done(exchange, HTTPStatus.CREATED)

    async def _received(
        self, exchange: Exchange, asked: Asked, file: Announced, landing: Landing | None
    ) -> None:
        """The whole body, to the disk in large pieces. The lease is asked for again on the way."""
        asked_at, kept, arrived = time.monotonic(), bytearray(), 0
        while True:
            piece, is_last = await _piece(exchange)
            kept += piece
            arrived += len(piece)
            if arrived > file.length:
                raise Refused(problems.TOO_LARGE)
            if landing is not None and (len(kept) >= _PIECE or is_last):
                await asyncio.to_thread(landing.write, bytes(kept))
            if landing is None or len(kept) >= _PIECE:
                kept.clear()
            if is_last:
                break
            if time.monotonic() - asked_at > _ASK_AGAIN_S:
                await self._held(asked)
                asked_at = time.monotonic()
        if arrived < file.length:
            raise Gone


@dataclass(frozen=True)
class Announced:
    """What the sender says of a file before it comes."""

    length: int
    sha256: bytes


def _announced(exchange: Exchange, largest: int) -> Announced:
    length = exchange.header("content-length") or ""
    if not length.isdecimal() or exchange.header("transfer-encoding") is not None:
        raise Refused(problems.LENGTH_MISSING)
    if int(length) > largest:
        raise Refused(problems.TOO_LARGE)
    sha256 = read_content_digest(exchange.header("content-digest") or "")
    if sha256 is None:
        raise Refused(problems.DIGEST_MISSING)
    return Announced(int(length), sha256)


def _stands(path: Path, file: Announced) -> bool:
    """Whether this very file is at its place. Refused where another one is."""
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").digest()
    except FileNotFoundError:
        return False
    if found != file.sha256:
        raise Refused(problems.FILE_DIFFERS)
    return True


async def _piece(exchange: Exchange) -> tuple[bytes, bool]:
    """Bytes of the body, and whether they are the last."""
    try:
        async with asyncio.timeout(_STALL_S):
            message = await exchange.receive()
    except TimeoutError:
        raise TooSlow from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), not message.get("more_body")


async def _done(exchange: Exchange, status: HTTPStatus) -> None:
    await exchange.answer(status, [("Cache-Control", "no-store")])


async def _say_who(exchange: Exchange, worker: WorkerRow) -> None:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    content = json.dumps({"machine": worker.machine, "key_id": worker.key_id}).encode()
    await exchange.answer(HTTPStatus.OK, headers, content)
