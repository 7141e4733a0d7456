"""Who acts: one query from a token or a session to an actor."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.credentials.models import Credential
from accounts.credentials.peppers import pepper
from accounts.credentials.rules import SCOPE_ROLES, Scope, digest, read_token, session_digest
from core.errors import Absent, NotAllowed, WrongScope
from core.planned import planned_row


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a live credential, in one programme.

    ``programme_id`` is None for a signed-in person without any programme. ``roles`` are those
    held in that programme.
    """

    credential_id: UUID
    key_id: str
    lineage_id: UUID
    party_id: UUID
    programme_id: UUID | None
    scopes: frozenset[str]
    roles: frozenset[str] = field(default=frozenset())
    is_portal: bool = False

    # What DRF asks of a user.
    is_authenticated = True
    is_active = True

    def must_carry(self, scope: str) -> None:
        if scope not in self.scopes:
            raise WrongScope(scope)

    def must_be(self, role: str, sentence: str) -> None:
        if role not in self.roles:
            raise NotAllowed(sentence, role=role)

    def must_act(self, scope: Scope) -> None:
        """Carry the scope, and hold one of the roles it means something with.

        Raises ``WrongScope`` without the one, ``Absent`` without the other: a room that is not
        one's own looks like one that does not exist.
        """
        self.must_carry(scope)
        roles = SCOPE_ROLES.get(scope)
        if roles is not None and not roles & self.roles:
            raise Absent

    @property
    def programme(self) -> UUID:
        """The programme's id. Raises ``Absent`` for somebody in none."""
        if self.programme_id is None:
            raise Absent
        return self.programme_id


_COLUMNS = (
    "credential_id, key_id, lineage_id, party_id, programme_id, digest, pepper_id,"
    " scopes, roles, is_live"
)
_BY_KEY = f"SELECT {_COLUMNS} FROM credential_by_key($1)"  # noqa: S608  (columns are ours)
_BY_SESSION = f"SELECT {_COLUMNS} FROM credential_by_session($1)"  # noqa: S608


def actor_by_token(text: str) -> Actor | None:
    """None for anything that does not count: malformed, unknown, wrong secret, ended, expired."""
    parts = read_token(text)
    if parts is None:
        return None
    row = planned_row(_BY_KEY, "text", [parts.key_id])
    # Unknown key and wrong secret take the same path and the same time.
    kept = bytes(row["digest"]) if row else b"\0" * 32
    key = pepper(row["pepper_id"] if row else "")
    matches = hmac.compare_digest(digest(parts, key), kept)
    if row is None or not matches or not row["is_live"]:
        return None
    return _actor(row, is_portal=False)


def actor_by_session(cookie: str) -> Actor | None:
    """The person behind a portal session, not yet in a programme (the portal chooses one)."""
    row = planned_row(_BY_SESSION, "text", [session_digest(cookie)])
    return _actor(row, is_portal=True) if row and row["is_live"] else None


def tokens_of(party_id: UUID) -> QuerySet[Credential]:
    return Credential.objects.filter(party_id=party_id, kind=Credential.Kind.TOKEN).order_by(
        "-minted_at", "-id"
    )


def sessions_of(party_id: UUID) -> QuerySet[Credential]:
    return Credential.objects.filter(
        party_id=party_id, kind=Credential.Kind.SESSION, state=Credential.State.ACTIVE
    ).order_by("-minted_at", "-id")


def token_for(actor: Actor, credential_id: UUID) -> Credential:
    """A token of the actor's own. Raises ``Absent`` for everybody else's."""
    token = tokens_of(actor.party_id).filter(id=credential_id).first()
    if token is None:
        raise Absent
    return token


def token_by_key_for(actor: Actor, key_id: str) -> Credential:
    """The same by its public key id."""
    # What is no key id is not asked for: PostgreSQL takes no text with a NUL in it.
    token = tokens_of(actor.party_id).filter(key_id=key_id).first() if key_id.isalnum() else None
    if token is None:
        raise Absent
    return token


def way_of_sign_in(credential_id: UUID | None) -> str:
    """How whoever holds this credential had shown who they are; empty where there is none."""
    held = Credential.objects.filter(id=credential_id) if credential_id else None
    credential = held.first() if held is not None else None
    return credential.minted_auth_method if credential else ""


def _actor(row: dict[str, Any], *, is_portal: bool) -> Actor:
    return Actor(
        credential_id=row["credential_id"],
        key_id=row["key_id"],
        lineage_id=row["lineage_id"],
        party_id=row["party_id"],
        programme_id=row["programme_id"],
        scopes=frozenset(row["scopes"]),
        roles=frozenset(row["roles"]),
        is_portal=is_portal,
    )
