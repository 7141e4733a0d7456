"""Making and ending credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.credentials.models import Credential, PortalSession
from accounts.credentials.peppers import current
from accounts.credentials.queries import Actor, token_for
from accounts.credentials.rules import (
    KEY_ID_SIGNS,
    LONGEST_LIFE_DAYS,
    SESSION_LASTS,
    SESSION_SCOPES,
    TOKEN_SCOPES,
    TOKENS_MINT,
    TOKENS_PER_PARTY,
    Letter,
    Scope,
    digest,
    new_token,
    random_base62,
)
from accounts.programmes.commands import lock_programme
from accounts.programmes.queries import roles_in
from accounts.programmes.rules import ADMINISTRATOR
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import Absent, Anonymous, InvalidOrder, NotAllowed
from core.idempotency.commands import Once
from core.ids import new_id
from core.outbox.commands import say
from core.sweeps import sweep
from core.text import is_readable

LIVE = (Credential.State.ACTIVE, Credential.State.RETIRING)
Answer = Callable[[Credential], tuple[int, Any]]


def mint_token(
    *,
    actor: Actor,
    name: str,
    reason: str,
    scopes: list[str],
    days: int,
    auth_method: str,
    once: Once,
    answer: Answer,
) -> tuple[Credential, str]:
    """Make a token of the actor's programme. The returned text is the only time it exists.

    ``auth_method`` is how the person has just shown who they are. Asking again with the same
    ``once`` (a page loaded again, a program that retries) raises ``AlreadyAnswered`` with what
    ``answer`` gave, which never holds the secret.
    Raises ``NotAllowed`` for a credential that may not mint, ``InvalidOrder`` for a bad wish.
    """
    if TOKENS_MINT not in actor.scopes:
        raise NotAllowed(_("Tokens are made in the portal, after signing in again."))
    _check_wish(name, reason, scopes, days)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        once.begin()
        _lock_party(actor.party_id)
        held = Credential.objects.filter(
            party_id=actor.party_id,
            kind=Credential.Kind.TOKEN,
            state__in=LIVE,
            expires_at__gt=now(),
        ).count()
        if held >= TOKENS_PER_PARTY:
            raise InvalidOrder(
                "too_many_tokens",
                _("You hold %(count)s tokens already. Revoke one first.") % {"count": held},
            )
        credential, text = _insert_token(
            party_id=actor.party_id,
            programme_id=actor.programme,
            name=name.strip(),
            reason=reason.strip(),
            scopes=sorted(set(scopes)),
            life=timedelta(days=days),
            auth_method=auth_method,
        )
        record(
            "token.minted",
            subject=("credential", credential.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            scopes=credential.scopes,
        )
        say("token.minted", subject=("credential", credential.id), party=actor.party_id)
        once.keep(*answer(credential))
    return credential, text


def issue_token(
    *, party_id: UUID, programme_id: UUID, name: str, scopes: list[str], days: int
) -> str:
    """A token made by the operator at the machine, for a member of the programme."""
    _check_wish(name, "-", scopes, days)
    with transaction.atomic():
        credential, text = _insert_token(
            party_id=party_id,
            programme_id=programme_id,
            name=name,
            reason="",
            scopes=scopes,
            life=timedelta(days=days),
            auth_method="operator",
        )
        record("token.minted", subject=("credential", credential.id), scopes=scopes)
    return text


def revoke_token(*, actor: Actor, credential_id: UUID) -> Credential:
    """End a token of the actor's own at once; what it has queued or running is held."""
    with transaction.atomic():
        token = token_for(actor, credential_id)
        end_credential(token.id, state=Credential.State.REVOKED, reason="by_owner", actor=actor)
    token.refresh_from_db()
    return token


def begin_session(*, party_id: UUID, auth_method: str) -> Credential:
    """The credential of a portal session that begins."""
    with transaction.atomic():
        moment = now()
        credential = Credential.objects.create(
            kind=Credential.Kind.SESSION,
            key_id=random_base62(KEY_ID_SIGNS),
            party_id=party_id,
            scopes=SESSION_SCOPES,
            minted_auth_method=auth_method,
            minted_at=moment,
            expires_at=moment + SESSION_LASTS,
        )
        record("session.begun", subject=("credential", credential.id), actor=party_id)
    return credential


def end_session(credential_id: UUID, *, reason: str) -> None:
    """Sign out: the session counts no more; what it has queued goes on.

    A quarantined one stays so: leaving is no way out of a quarantine.
    """
    with transaction.atomic():
        if Credential.objects.filter(id=credential_id, state__in=LIVE).exists():
            end_credential(credential_id, state=Credential.State.EXPIRED, reason=reason, actor=None)


def end_other_sessions(*, party_id: UUID, keep: UUID | None, reason: str) -> int:
    """Sign out everywhere else, for instance when a password changes; queued work goes on."""
    return _end_sessions(party_id, keep, Credential.State.EXPIRED, reason, actor=None)


def revoke_sessions_of(*, party_id: UUID, reason: str) -> int:
    """Sign somebody out everywhere who does it by a letter: what was queued there is held, since
    whoever lost their password may have lost it to somebody."""
    return _end_sessions(party_id, None, Credential.State.REVOKED, reason, actor=None)


def revoke_sessions(*, actor: Actor) -> int:
    """Sign the actor out everywhere, here too; what those sessions have queued is held.

    It is what one presses when somebody else may be signed in: their work must not go on.
    """
    return _end_sessions(
        actor.party_id, None, Credential.State.REVOKED, "signed_out_everywhere", actor=actor
    )


def end_credential(
    credential_id: UUID, *, state: Credential.State, reason: str, actor: Actor | None
) -> bool:
    """One credential to an end. False when it had ended before; inside the caller's transaction."""
    _pass_gate(credential_id, "pg_advisory_xact_lock")
    ended = Credential.objects.filter(
        id=credential_id, state__in=[*LIVE, Credential.State.QUARANTINED]
    ).update(state=state, ended_at=now(), ended_reason=reason)
    if not ended:
        return False
    PortalSession.objects.filter(credential_id=credential_id).delete()
    party_id = Credential.objects.values_list("party_id", flat=True).get(id=credential_id)
    record(
        f"credential.{state}",
        subject=("credential", credential_id),
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        reason=reason,
    )
    say(f"credential.{state}", subject=("credential", credential_id), party=party_id)
    return True


def lock_live_credential(credential_id: UUID) -> None:
    """The first lock of every deed that spends. Raises ``Anonymous`` when it no longer counts.

    A share lock: many may spend with one credential at once, but none while it is being revoked.
    """
    _pass_gate(credential_id, "pg_advisory_xact_lock_shared")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state IN ('active', 'retiring') AND expires_at > core_now()"
            " FROM accounts_credential WHERE id = %s FOR SHARE",
            [credential_id],
        )
        row = cursor.fetchone()
    if row is None or not row[0]:
        raise Anonymous


def act_in(programme_id: UUID | None, actor: Actor | None, scope: Scope) -> UUID | None:
    """The party that acts with this scope in this programme, its credential held until the commit.

    None where it is done at the machine. Raises as ``Actor.must_act`` and
    ``lock_live_credential`` do, and ``Absent`` for another programme than the actor stands in.
    The roles are those of now: they may have ended while this waited for the caller's locks.
    """
    if actor is None:
        return None
    actor.must_act(scope)
    if programme_id is not None and actor.programme_id != programme_id:
        raise Absent
    lock_live_credential(actor.credential_id)
    replace(actor, roles=actor.roles & _roles_now(actor)).must_act(scope)
    return actor.party_id


@contextmanager
def in_charge(actor: Actor, scope: Scope, programme_id: UUID | None) -> Iterator[UUID]:
    """The transaction of a door that sets a programme up: the party whose deed it is.

    The programme's row comes first and the credential after it, as everywhere: whoever waits for
    the row holds no credential yet, so that a revocation never waits for them, and what was revoked
    meanwhile publishes nothing. ``programme_id`` None: one that is made. Raises as ``act_in``.
    """
    with transaction.atomic():
        if programme_id is not None:
            lock_programme(programme_id)
        act_in(programme_id, actor, scope)
        yield actor.party_id


def _roles_now(actor: Actor) -> frozenset[str]:
    roles = roles_in(actor.programme_id, actor.party_id) if actor.programme_id else frozenset()
    # In SQL, as where the actor came from: administrators stand on credentials.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM accounts_administrator WHERE party_id = %s AND ended_at IS NULL",
            [actor.party_id],
        )
        return roles | {ADMINISTRATOR} if cursor.rowcount else roles


def end_access(
    *, party_id: UUID, programme_id: UUID | None, reason: str, actor: Actor | None
) -> int:
    """Revoke a party's tokens, of one programme or of all, and sign it out everywhere.

    Sessions first: whatever one of them is minting is among the tokens by then. Inside the
    transaction of a caller that holds the person, so that nobody signs in meanwhile.
    """
    ended = _end_sessions(party_id, None, Credential.State.EXPIRED, reason, actor)
    tokens = Credential.objects.filter(
        party_id=party_id,
        kind=Credential.Kind.TOKEN,
        state__in=[*LIVE, Credential.State.QUARANTINED],
    )
    if programme_id is not None:
        tokens = tokens.filter(programme_id=programme_id)
    return ended + sum(
        end_credential(token, state=Credential.State.REVOKED, reason=reason, actor=actor)
        for token in tokens.order_by("id").values_list("id", flat=True)
    )


def note_use(credential_id: UUID) -> None:
    """Keep *last used* to the quarter of an hour, at most one write in that time."""
    with connection.cursor() as cursor:
        # SKIP LOCKED: it is only shown, and must never wait for a revocation.
        cursor.execute(
            "UPDATE accounts_credential SET last_used_at = core_now() WHERE id = ("
            " SELECT id FROM accounts_credential WHERE id = %s AND (last_used_at IS NULL"
            " OR last_used_at < core_now() - interval '15 minutes') FOR UPDATE SKIP LOCKED)",
            [credential_id],
        )


def end_expired() -> int:
    """Write ``expired`` on what ran out; nothing depends on it being prompt."""
    due = Credential.objects.filter(state__in=LIVE, expires_at__lte=now())
    return sweep("end_expired", due.order_by("id").values_list("id", flat=True)[:500], _expire)


def _expire(credential_id: UUID) -> bool:
    return end_credential(
        credential_id, state=Credential.State.EXPIRED, reason="time_up", actor=None
    )


def forget_old_sessions() -> int:
    """Delete browsers' sessions that ran out. Their credentials stay, as every credential does."""
    with transaction.atomic():
        deleted, _rows = PortalSession.objects.filter(expire_date__lte=CoreNow()).delete()
    return deleted


def _end_sessions(
    party_id: UUID, keep: UUID | None, state: Credential.State, reason: str, actor: Actor | None
) -> int:
    with transaction.atomic():
        sessions = Credential.objects.filter(
            party_id=party_id, kind=Credential.Kind.SESSION, state__in=LIVE
        )
        if keep is not None:
            sessions = sessions.exclude(id=keep)
        return sum(
            end_credential(credential_id, state=state, reason=reason, actor=actor)
            for credential_id in sessions.order_by("id").values_list("id", flat=True)
        )


def _insert_token(
    *,
    party_id: UUID,
    programme_id: UUID,
    name: str,
    reason: str,
    scopes: list[str],
    life: timedelta,
    auth_method: str,
) -> tuple[Credential, str]:
    parts, text = new_token(Letter.TESTER)
    pepper_id, key = current()
    moment = now()
    credential = Credential.objects.create(
        id=new_id(),
        kind=Credential.Kind.TOKEN,
        key_id=parts.key_id,
        party_id=party_id,
        programme_id=programme_id,
        name=name,
        reason=reason,
        digest=digest(parts, key),
        pepper_id=pepper_id,
        scopes=scopes,
        minted_auth_method=auth_method,
        minted_at=moment,
        expires_at=moment + life,
    )
    return credential, text


def _check_wish(name: str, reason: str, scopes: list[str], days: int) -> None:
    if not 1 <= len(name.strip()) <= 80 or not is_readable(name):
        raise InvalidOrder(
            "name_invalid", _("Give the token a name of up to 80 characters."), field="name"
        )
    if not 1 <= len(reason.strip()) <= 300 or not is_readable(reason, lines=True):
        raise InvalidOrder(
            "reason_missing", _("Say in a few words what the token is for."), field="reason"
        )
    if not scopes or set(scopes) - set(TOKEN_SCOPES):
        raise InvalidOrder(
            "scopes_invalid", _("Choose at least one of the offered scopes."), field="scopes"
        )
    if not 1 <= days <= LONGEST_LIFE_DAYS:
        raise InvalidOrder(
            "days_out_of_range",
            _("A token lives for 1 to %(most)s days.") % {"most": LONGEST_LIFE_DAYS},
            field="days",
        )


def _pass_gate(credential_id: UUID, lock: str) -> None:
    # PostgreSQL lets a new row lock FOR SHARE past an UPDATE that waits: whoever hammers with a
    # leaked token would keep its revocation waiting for ever. Advisory locks queue in order.
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s)", [credential_id.int & (1 << 63) - 1])


def _lock_party(party_id: UUID) -> None:
    # Two mints at once must not both count the same nine tokens. The key is the party's own bits.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [party_id.int >> 65])
