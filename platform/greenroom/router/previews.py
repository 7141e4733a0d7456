"""GET and HEAD of a running job's preview: for its owner alone, gone when the job is over.

A few kilobytes that change every few seconds: read whole, so that what is described is what is
sent, and never kept by anybody.
"""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from uuid import UUID

from accounts.credentials.rules import Scope
from core.ids import read_id
from greenroom.router import problems
from greenroom.router.authentication import Credential
from greenroom.router.exchange import Exchange, Headers
from greenroom.router.media import Authenticate, is_reading
from greenroom.router.problems import refuse
from greenroom.router.ranges import is_unchanged

_MOST_BYTES = 2 * 2**20


class RunningJobs(Protocol):
    async def preview_key(self, credential: Credential, job_id: UUID) -> str | None:
        """Below the media folder; None for absent, not running and somebody else's: nobody can
        tell which."""
        ...


class Previews:
    def __init__(self, authenticate: Authenticate, jobs: RunningJobs, folder: Path) -> None:
        self._authenticate = authenticate
        self._jobs = jobs
        self._folder = folder.absolute()

    async def __call__(self, exchange: Exchange, name: str) -> None:
        if not await is_reading(exchange):
            return
        credential = await self._authenticate(exchange)
        if credential is None:
            await refuse(exchange, problems.NOT_SIGNED_IN)
            return
        if not credential.carries(Scope.CLIPS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
            return
        job_id = read_id("job", name)
        key = await self._jobs.preview_key(credential, job_id) if job_id else None
        content = await asyncio.to_thread(_read, self._folder / key) if key else None
        if content is None:
            await refuse(exchange, problems.NOT_FOUND)
            return
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers: Headers = [
            ("Content-Type", "image/webp"),
            ("ETag", etag),
            ("Cache-Control", "private, no-cache"),
            ("Vary", "Authorization, Cookie"),
        ]
        if is_unchanged(exchange.header("if-none-match"), etag):
            await exchange.start(HTTPStatus.NOT_MODIFIED, headers)
            await exchange.body(b"")
            return
        await exchange.answer(HTTPStatus.OK, headers, content)


def _read(path: Path) -> bytes | None:
    """None before the first step, and for a job that has just ended."""
    try:
        with path.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError:
        return None
