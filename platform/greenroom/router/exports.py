"""GET and HEAD of a person's archive: for its owner alone, with ranges, past Django.

Sent as renditions are, by the same back end: it may be many gigabytes.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from accounts.credentials.rules import Scope
from core.ids import read_id
from greenroom.router import problems
from greenroom.router.authentication import Credential
from greenroom.router.exchange import Exchange
from greenroom.router.media import Allowed, Authenticate, Media, Opening, is_reading
from greenroom.router.problems import refuse


class Archives(Protocol):
    async def archive(self, credential: Credential, export_id: UUID) -> Opening | None:
        """None for absent, not ready, ended and somebody else's: nobody can tell which."""
        ...


class Exports:
    def __init__(self, authenticate: Authenticate, archives: Archives, media: Media) -> None:
        self._authenticate = authenticate
        self._archives = archives
        self._media = media

    async def __call__(self, exchange: Exchange, name: str) -> None:
        if not await is_reading(exchange):
            return
        credential = await self._authenticate(exchange)
        if credential is None:
            await refuse(exchange, problems.NOT_SIGNED_IN)
            return
        if not credential.carries(Scope.EXPORTS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
            return
        export_id = read_id("export", name)
        opening = await self._archives.archive(credential, export_id) if export_id else None
        if opening is None:
            await refuse(exchange, problems.NOT_FOUND)
        else:
            # Nobody but the owner gets this far, so there is nobody to write down.
            await self._media.open(exchange, Allowed(opening, None))
