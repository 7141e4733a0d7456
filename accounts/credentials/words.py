"""Tokens and sessions as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.credentials.models import Credential
from accounts.credentials.rules import SCOPE_WORDS, Scope

State = Credential.State

STATE_WORDS = {
    State.ACTIVE: gettext_lazy("Works"),
    State.RETIRING: gettext_lazy("Being replaced"),
    State.QUARANTINED: gettext_lazy("Paused"),
    State.REVOKED: gettext_lazy("Revoked"),
    State.EXPIRED: gettext_lazy("Ended"),
}


@dataclass(frozen=True, slots=True)
class ShownToken:
    name: str
    key_id: str
    is_live: bool
    state_words: str
    scopes_words: list[Any]
    made_at: datetime
    expires_at: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class ShownSession:
    key_id: str
    made_at: datetime
    last_used: datetime | None
    is_current: bool


def is_live(credential: Credential, moment: datetime) -> bool:
    """What the SQL function says of the row itself; the row is marked expired only later."""
    return credential.state in (State.ACTIVE, State.RETIRING) and credential.expires_at > moment


def shown_token(token: Credential, moment: datetime) -> ShownToken:
    live = is_live(token, moment)
    ran_out = not live and token.state in (State.ACTIVE, State.RETIRING)
    return ShownToken(
        name=token.name,
        key_id=token.key_id,
        is_live=live,
        state_words=_("Ended") if ran_out else str(STATE_WORDS[State(token.state)]),
        scopes_words=[SCOPE_WORDS[Scope(scope)] for scope in token.scopes],
        made_at=token.minted_at,
        expires_at=token.expires_at,
        last_used=token.last_used_at,
    )


def shown_session(session: Credential, current: UUID) -> ShownSession:
    return ShownSession(
        key_id=session.key_id,
        made_at=session.minted_at,
        last_used=session.last_used_at,
        is_current=session.id == current,
    )
