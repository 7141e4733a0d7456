"""The shape of a token, its digest, its scopes.

``grm_`` + type letter + ``_`` + 12-character public key id + 43-character secret (256 bit) +
6-character CRC-32 of all that stands before it. Base 62 throughout, so that a double click takes
it whole. The checksum lets a mistyped or made-up token be refused without asking the database;
the key id may be logged and shown; the secret is stored only as HMAC-SHA-256 under a pepper.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_ID_SIGNS = 12
SECRET_SIGNS = 43
CHECK_SIGNS = 6
_SHAPE = re.compile(r"grm_[tspcw]_[0-9A-Za-z]{61}\Z")

SESSION_LASTS = timedelta(days=14)
LONGEST_LIFE_DAYS = 90
USUAL_LIFE_DAYS = 30
TOKENS_PER_PARTY = 10


class Letter(StrEnum):
    """What kind of token it is, readable before anything else."""

    TESTER = "t"
    SERVICE = "s"
    PREVIEW = "p"
    CANARY = "c"
    WORKER = "w"  # of a machine, not of a person: see generation.machines


class Scope(StrEnum):
    CLIPS_CREATE = "clips:create"
    CLIPS_READ = "clips:read"
    QUOTA_READ = "quota:read"
    TOKENS_READ = "tokens:read"
    TOKENS_REVOKE = "tokens:revoke"
    SUBMISSIONS_READ = "submissions:read"
    SUBMISSIONS_CREATE = "submissions:create"
    RELEASES_READ = "releases:read"
    RELEASES_CREATE = "releases:create"
    CREDITS_READ = "credits:read"
    CREDITS_WRITE = "credits:write"
    CONTRIBUTIONS_READ = "contributions:read"
    CONTRIBUTIONS_CREATE = "contributions:create"
    EARNINGS_READ = "earnings:read"
    PROGRAMME_READ = "programme:read"
    NOTICES_READ = "notices:read"
    NOTICES_DISMISS = "notices:dismiss"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    CASES_READ = "cases:read"
    CASES_DECIDE = "cases:decide"
    CONTRIBUTIONS_TRIAGE = "contributions:triage"
    LEDGER_READ = "ledger:read"
    LEDGER_FUND = "ledger:fund"
    PAYOUTS_PROPOSE = "payouts:propose"
    PAYOUTS_APPROVE = "payouts:approve"
    PAYOUTS_PAY = "payouts:pay"
    PROGRAMME_WRITE = "programme:write"
    PROGRAMMES_CREATE = "programmes:create"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    ANNOUNCEMENTS_SEND = "announcements:send"
    CONSENTS_READ = "consents:read"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    EXPORTS_READ = "exports:read"
    EXPORTS_CREATE = "exports:create"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


# Minting stays in the portal: a token that could mint tokens would outlive its own revocation.
# Agreements and consents are answered there too: by a person who has read them, not by a program.
TOKENS_MINT = "tokens:mint"
AGREEMENTS_ANSWER = "agreements:answer"
TOKEN_SCOPES = [scope.value for scope in Scope]
CONSENTS_ANSWER = "consents:answer"
# Leaving for good is done by the person, who has just shown who they are.
ERASURES_ASK = "erasures:ask"
SESSION_SCOPES = [*TOKEN_SCOPES, TOKENS_MINT, AGREEMENTS_ANSWER, CONSENTS_ANSWER, ERASURES_ASK]

# Scopes that mean something only with one of these roles; all others are everybody's. A token may
# carry any scope: what it may do is asked of the role too, each time.
SCOPE_ROLES: dict[Scope, frozenset[str]] = {
    Scope.CASES_READ: frozenset({"reviewer", "manager", "auditor"}),
    Scope.CASES_DECIDE: frozenset({"reviewer"}),
    Scope.CONTRIBUTIONS_TRIAGE: frozenset({"reviewer", "manager"}),
    Scope.LEDGER_READ: frozenset({"finance", "manager", "auditor"}),
    Scope.LEDGER_FUND: frozenset({"finance"}),
    Scope.PAYOUTS_PROPOSE: frozenset({"finance"}),
    Scope.PAYOUTS_APPROVE: frozenset({"finance", "manager"}),
    Scope.PAYOUTS_PAY: frozenset({"finance"}),
    Scope.PROGRAMME_WRITE: frozenset({"manager", "administrator"}),
    Scope.PROGRAMMES_CREATE: frozenset({"administrator"}),
    Scope.PEOPLE_READ: frozenset({"manager", "administrator", "auditor"}),
    Scope.PEOPLE_WRITE: frozenset({"manager", "administrator"}),
    Scope.ANNOUNCEMENTS_SEND: frozenset({"manager", "administrator"}),
    Scope.DEVICES_READ: frozenset({"manager", "administrator"}),
    Scope.DEVICES_WRITE: frozenset({"manager", "administrator"}),
}


def scopes_for(roles: frozenset[str]) -> list[Scope]:
    """Those that mean something in the hands of somebody with these roles."""
    return [scope for scope in Scope if scope not in SCOPE_ROLES or SCOPE_ROLES[scope] & roles]


SCOPE_WORDS = {
    Scope.CLIPS_CREATE: _("Make clips, cancel your own jobs, remove your own clips' files"),
    Scope.CLIPS_READ: _("See your jobs and clips and download them"),
    Scope.QUOTA_READ: _("See your quota"),
    Scope.TOKENS_READ: _("See your tokens and sign-ins, never their secrets"),
    Scope.TOKENS_REVOKE: _("Revoke your tokens and sign out everywhere"),
    Scope.SUBMISSIONS_READ: _("See your submissions and what was decided on them"),
    Scope.SUBMISSIONS_CREATE: _("Put clips forward, withdraw them, and appeal"),
    Scope.RELEASES_READ: _("See your releases and share links"),
    Scope.RELEASES_CREATE: _("Release clips, take them down, make and revoke share links"),
    Scope.CREDITS_READ: _("See credit lines that concern you"),
    Scope.CREDITS_WRITE: _("Name people on your clips and answer for your own credit"),
    Scope.CONTRIBUTIONS_READ: _("See your contributions and their answers"),
    Scope.CONTRIBUTIONS_CREATE: _("File bug reports, feedback and red-team findings"),
    Scope.EARNINGS_READ: _("See what you earned and what was paid"),
    Scope.PROGRAMME_READ: _("Read the programme's terms, rates, clauses and figures"),
    Scope.NOTICES_READ: _("Read your notices"),
    Scope.NOTICES_DISMISS: _("Put your notices away"),
    Scope.SETTINGS_READ: _("Read your settings"),
    Scope.SETTINGS_WRITE: _("Change your settings"),
    Scope.CASES_READ: _("See the review desk's queue and cases"),
    Scope.CASES_DECIDE: _("Take cases and decide them"),
    Scope.CONTRIBUTIONS_TRIAGE: _("See everybody's contributions and answer them"),
    Scope.LEDGER_READ: _("Read the programme's ledger"),
    Scope.LEDGER_FUND: _("Record money set aside for the programme"),
    Scope.PAYOUTS_PROPOSE: _("Propose and cancel payouts"),
    Scope.PAYOUTS_APPROVE: _("Approve payouts that somebody else proposed"),
    Scope.PAYOUTS_PAY: _("Record payouts as paid"),
    Scope.PROGRAMME_WRITE: _("Set the programme up: terms, clauses, rates, budgets, models"),
    Scope.PROGRAMMES_CREATE: _("Make programmes"),
    Scope.PEOPLE_READ: _("See the programme's people, their roles and open invitations"),
    Scope.PEOPLE_WRITE: _("Invite people, give and end roles, end memberships"),
    Scope.ANNOUNCEMENTS_SEND: _("Write to a cohort or to everybody"),
    Scope.CONSENTS_READ: _("See which consents you gave"),
    Scope.CONVERSATIONS_READ: _("Read your conversations with the programme's people"),
    Scope.CONVERSATIONS_WRITE: _("Write in them"),
    Scope.EXPORTS_READ: _("See your exports and download them"),
    Scope.EXPORTS_CREATE: _("Ask for an export of everything that is yours"),
    Scope.DEVICES_READ: _("See the devices that render, and how they fare"),
    Scope.DEVICES_WRITE: _("Drain devices and let them serve again"),
    Scope.WEBHOOKS_READ: _("See your webhooks and what was sent to them"),
    Scope.WEBHOOKS_WRITE: _("Make, change and remove your webhooks, and send again"),
}


@dataclass(frozen=True, slots=True)
class TokenParts:
    letter: str
    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"<token {self.key_id}>"  # never the secret


def checksum(text: str) -> str:
    """CRC-32 (IEEE 802.3) as six base-62 digits, most significant first."""
    number, signs = zlib.crc32(text.encode()), []
    for _place in range(CHECK_SIGNS):
        number, digit = divmod(number, 62)
        signs.append(BASE62[digit])
    return "".join(reversed(signs))


def random_base62(signs: int) -> str:
    return "".join(secrets.choice(BASE62) for _place in range(signs))


def new_token(letter: Letter) -> tuple[TokenParts, str]:
    """Fresh parts and the one text that carries them; the text is shown once and not kept."""
    parts = TokenParts(letter, random_base62(KEY_ID_SIGNS), random_base62(SECRET_SIGNS))
    body = f"grm_{parts.letter}_{parts.key_id}{parts.secret}"
    return parts, body + checksum(body)


def read_token(text: str) -> TokenParts | None:
    """The parts of a well-formed token, else None. Touches nothing but the text."""
    if not _SHAPE.match(text):
        return None
    body, check = text[:-CHECK_SIGNS], text[-CHECK_SIGNS:]
    if not hmac.compare_digest(checksum(body), check):
        return None
    key_id, secret = body[6 : 6 + KEY_ID_SIGNS], body[6 + KEY_ID_SIGNS :]
    return TokenParts(body[4], key_id, secret)


def digest(parts: TokenParts, pepper: str) -> bytes:
    """HMAC-SHA-256: 256 random bits need no slow hash; with a pepper a dump confirms nothing.

    Letter and key id are in it, so that a token cannot be rewritten into another kind.
    """
    signed = f"{parts.letter}_{parts.key_id}{parts.secret}"
    return hmac.digest(pepper.encode(), signed.encode(), hashlib.sha256)


def session_digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
