from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.credentials.models import Credential
from accounts.credentials.queries import Actor
from accounts.device_logins.models import DeviceLogin
from accounts.device_logins.rules import device_digest, user_digest
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id

State = DeviceLogin.State


@dataclass(frozen=True, slots=True)
class WhereFrom:
    """Where a program asks from, beside where its reader is: what one can check at a glance."""

    address: str
    is_here: bool


def login_by_device_code(code: str) -> DeviceLogin | None:
    return DeviceLogin.objects.filter(device_digest=device_digest(code)).first()


def login_by_user_code(code: str) -> DeviceLogin | None:
    """One that waits and is not over. A code counts under each pepper of this installation: one
    may have been put in place a minute ago."""
    digests = [user_digest(code, key) for key in settings.PEPPERS().values()]
    return DeviceLogin.objects.filter(
        user_digest__in=digests, state=State.WAITING, expires_at__gt=CoreNow()
    ).first()


def device_login_for(actor: Actor, shown_id: str) -> DeviceLogin:
    """One whose code the actor has typed, and that still waits for their answer.

    Raises ``Absent`` for everything else: answered, over, somebody else's.
    """
    waiting = _opened_by(actor, shown_id).filter(state=State.WAITING, expires_at__gt=CoreNow())
    return _one(waiting)


def answered_login_for(actor: Actor, shown_id: str) -> DeviceLogin:
    """One that the actor has said yes or no to. Raises ``Absent`` for everything else."""
    answered = _opened_by(actor, shown_id).exclude(state=State.WAITING)
    return _one(answered.select_related("programme"))


def _opened_by(actor: Actor, shown_id: str) -> QuerySet[DeviceLogin]:
    login_id = read_id("device_login", shown_id)
    if login_id is None:
        raise Absent
    return DeviceLogin.objects.filter(id=login_id, opened_by_id=actor.party_id)


def _one(logins: QuerySet[DeviceLogin]) -> DeviceLogin:
    found = logins.first()
    if found is None:
        raise Absent
    return found


def who_allowed(login: DeviceLogin) -> Actor:
    """The portal session that allowed it, in the programme that was chosen."""
    session = login.allowed_with
    assert session is not None
    return Actor(
        credential_id=session.id,
        key_id=session.key_id,
        lineage_id=session.lineage_id,
        party_id=session.party_id,
        programme_id=login.programme_id,
        scopes=frozenset(session.scopes),
        is_portal=True,
    )


def tokens_held(party_id: UUID) -> int:
    """Live tokens of a party, of which there may be ``TOKENS_PER_PARTY``."""
    return Credential.objects.filter(
        party_id=party_id,
        kind=Credential.Kind.TOKEN,
        state__in=(Credential.State.ACTIVE, Credential.State.RETIRING),
        expires_at__gt=CoreNow(),
    ).count()


def where_from(login: DeviceLogin, reader: str) -> WhereFrom | None:
    if login.asked_from is None:
        return None
    return WhereFrom(login.asked_from, is_here=login.asked_from == reader)
