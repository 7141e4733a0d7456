"""Tokens and sessions as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.credentials.models import Credential
from accounts.credentials.rules import SCOPE_WORDS, TOKEN_SCOPES, Scope

State = Credential.State

STATE_WORDS = {
    State.ACTIVE: gettext_lazy("Works"),
    State.RETIRING: gettext_lazy("Being replaced"),
    State.QUARANTINED: gettext_lazy("Paused"),
    State.REVOKED: gettext_lazy("Revoked"),
    State.EXPIRED: gettext_lazy("Ended"),
}

# Every scope stands in one of these, in the order in which one needs them.
SCOPE_GROUPS = [
    (gettext_lazy("Clips"), [Scope.CLIPS_CREATE, Scope.CLIPS_READ, Scope.QUOTA_READ]),
    (
        gettext_lazy("From review to release"),
        [
            Scope.SUBMISSIONS_READ,
            Scope.SUBMISSIONS_CREATE,
            Scope.CREDITS_READ,
            Scope.CREDITS_WRITE,
            Scope.RELEASES_READ,
            Scope.RELEASES_CREATE,
        ],
    ),
    (
        gettext_lazy("Contributions and earnings"),
        [Scope.CONTRIBUTIONS_READ, Scope.CONTRIBUTIONS_CREATE, Scope.EARNINGS_READ],
    ),
    (
        gettext_lazy("The review desk"),
        [Scope.CASES_READ, Scope.CASES_DECIDE, Scope.CONTRIBUTIONS_TRIAGE],
    ),
    (
        gettext_lazy("The programme's money"),
        [
            Scope.LEDGER_READ,
            Scope.LEDGER_FUND,
            Scope.PAYOUTS_PROPOSE,
            Scope.PAYOUTS_APPROVE,
            Scope.PAYOUTS_PAY,
        ],
    ),
    (
        gettext_lazy("Setting programmes up"),
        [
            Scope.PROGRAMMES_CREATE,
            Scope.PROGRAMME_WRITE,
            Scope.DEVICES_READ,
            Scope.DEVICES_WRITE,
            Scope.PEOPLE_READ,
            Scope.PEOPLE_WRITE,
            Scope.ANNOUNCEMENTS_SEND,
        ],
    ),
    (
        gettext_lazy("The programme and you"),
        [
            Scope.PROGRAMME_READ,
            Scope.NOTICES_READ,
            Scope.NOTICES_DISMISS,
            Scope.CONVERSATIONS_READ,
            Scope.CONVERSATIONS_WRITE,
            Scope.CONSENTS_READ,
            Scope.EXPORTS_READ,
            Scope.EXPORTS_CREATE,
            Scope.SETTINGS_READ,
            Scope.SETTINGS_WRITE,
            Scope.TOKENS_READ,
            Scope.TOKENS_REVOKE,
            Scope.WEBHOOKS_READ,
            Scope.WEBHOOKS_WRITE,
        ],
    ),
]


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
        scopes_words=_scopes_words(token.scopes),
        made_at=token.minted_at,
        expires_at=token.expires_at,
        last_used=token.last_used_at,
    )


def _scopes_words(scopes: list[str]) -> list[Any]:
    if set(scopes) == set(TOKEN_SCOPES):
        return [_("Everything that a token may do")]
    return [SCOPE_WORDS[scope] for scope in Scope if scope in scopes]


def shown_session(session: Credential, current: UUID) -> ShownSession:
    return ShownSession(
        key_id=session.key_id,
        made_at=session.minted_at,
        last_used=session.last_used_at,
        is_current=session.id == current,
    )
