"""Who is behind a raw request: the session cookie or a bearer token, by the one SQL function each.

Nothing is cached. An answer is about one moment; what lasts (a stream) asks again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.http.cookie import parse_cookie

from accounts.credentials.rules import Scope, TokenParts, digest, read_token, session_digest
from greenroom.router.exchange import Exchange


@dataclass(frozen=True)
class CredentialRow:
    """One row of `credential_by_session` or `credential_by_key`. The database decides `is_live`."""

    credential_id: UUID
    kind: str
    key_id: str
    party_id: UUID
    programme_id: UUID | None
    digest: bytes | None
    pepper_id: str
    state: str
    expires_at: datetime
    scopes: list[str]
    is_live: bool


class Credentials(Protocol):
    async def by_session(self, session_digest: str) -> CredentialRow | None: ...

    async def by_key(self, key_id: str) -> CredentialRow | None: ...


@dataclass(frozen=True)
class Credential:
    """An authenticated credential; `session` is its session's digest, empty for a token. Holds no
    secret."""

    row: CredentialRow
    session: str = ""

    @property
    def id(self) -> UUID:
        return self.row.credential_id

    @property
    def party_id(self) -> UUID:
        return self.row.party_id

    @property
    def programme_id(self) -> UUID | None:
        """The one programme a token is for; None for a session."""
        return self.row.programme_id

    @property
    def key_id(self) -> str:
        return self.row.key_id

    def carries(self, scope: Scope) -> bool:
        return scope.value in self.row.scopes


class Authentication:
    """`pepper` gives the pepper of an id, and for an empty id any."""

    def __init__(
        self, credentials: Credentials, *, pepper: Callable[[str], str], cookie: str
    ) -> None:
        self._credentials = credentials
        self._pepper = pepper
        self._cookie = cookie

    async def credential(self, exchange: Exchange) -> Credential | None:
        """Who asks, noted for the access line; None for everybody unknown, expired or revoked.

        A header wins over the cookie: whoever sends one means it, and a bad one is not forgiven.
        """
        header = exchange.header("authorization")
        found = await (self._by_header(header) if header else self._by_cookie(exchange))
        if found is not None:
            exchange.key_id = found.key_id
        return found

    async def is_still_live(self, credential: Credential) -> bool:
        """The same question again, for a stream."""
        if credential.session:
            row = await self._credentials.by_session(credential.session)
        else:
            row = await self._credentials.by_key(credential.key_id)
        return (
            row is not None
            and row.is_live
            and row.credential_id == credential.id
            and row.digest == credential.row.digest
        )

    async def _by_header(self, header: str) -> Credential | None:
        scheme, _, text = header.partition(" ")
        parts = read_token(text.strip()) if scheme.lower() == "bearer" else None
        if parts is None:
            return None  # a mistyped token costs no query
        row = await self._credentials.by_key(parts.key_id)
        opens = self._opens(row, parts)  # an unknown key takes the same path and the same time
        return Credential(row) if row is not None and opens and row.is_live else None

    def _opens(self, row: CredentialRow | None, parts: TokenParts) -> bool:
        kept = (row.digest if row else None) or bytes(32)
        pepper = self._pepper(row.pepper_id if row else "")
        return hmac.compare_digest(digest(parts, pepper), kept)

    async def _by_cookie(self, exchange: Exchange) -> Credential | None:
        value = parse_cookie(exchange.header("cookie") or "").get(self._cookie)
        if not value:
            return None
        session = session_digest(value)
        row = await self._credentials.by_session(session)
        return Credential(row, session) if row is not None and row.is_live else None
