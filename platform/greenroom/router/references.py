"""GET and HEAD of a reference's picture: for its owner alone, past Django.

``/references/<id>/picture`` is its first frame as engines get it, ``/references/<id>/end`` its
last. The original is served by no route; it is in its owner's export.
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


class Pictures(Protocol):
    async def reference_picture(
        self, credential: Credential, reference_id: UUID, *, is_end: bool
    ) -> Opening | None:
        """None for absent, removed and somebody else's: nobody can tell which."""
        ...


class References:
    def __init__(self, authenticate: Authenticate, pictures: Pictures, media: Media) -> None:
        self._authenticate = authenticate
        self._pictures = pictures
        self._media = media

    async def __call__(self, exchange: Exchange, name: str, *, is_end: bool) -> None:
        if not await is_reading(exchange):
            return
        credential = await self._authenticate(exchange)
        if credential is None:
            await refuse(exchange, problems.NOT_SIGNED_IN)
            return
        if not credential.carries(Scope.CLIPS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
            return
        found = read_id("reference", name)
        opening = (
            await self._pictures.reference_picture(credential, found, is_end=is_end)
            if found
            else None
        )
        if opening is None:
            await refuse(exchange, problems.NOT_FOUND)
        else:
            # Nobody but the owner gets this far, so there is nobody to write down.
            await self._media.open(exchange, Allowed(opening, None))
