"""Giving roles and ending them. Which two are never in one hand is the database's word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.administrators.queries import administrators_now
from accounts.credentials.commands import act_in
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.commands import lock_programme
from accounts.programmes.models import Membership, Role, RoleGrant
from accounts.programmes.queries import LIVE_GRANT, membership_of
from accounts.roles.queries import grants_run_out, other_managers
from core.audit.commands import record
from core.clock import must_be_in_range, now
from core.errors import Absent, InvalidOrder, NotAllowed, TooLate
from core.outbox.commands import say
from core.sweeps import sweep

ENDED_AT_ONCE = 200


class DutiesAreSeparate(TooLate):
    code = "duties_are_separate"

    def __init__(self) -> None:
        super().__init__(
            _("These two roles are never in one hand. End the other first, or choose another.")
        )


class NoSelfGrant(NotAllowed):
    code = "no_self_grant"

    def __init__(self) -> None:
        super().__init__(_("Nobody gives themselves a role. Ask another manager."))


class GiverMayNot(NotAllowed):
    code = "giver_may_not"

    def __init__(self) -> None:
        super().__init__(_("Whoever gives this role looks after the programme no more."))


class LastManager(TooLate):
    code = "last_manager"

    def __init__(self) -> None:
        super().__init__(
            _("A programme keeps at least one manager. Give the role to somebody else first.")
        )


def grant_role(
    *,
    programme_id: UUID,
    party_id: UUID,
    role: Role,
    expires_at: datetime | None = None,
    actor: Actor | None = None,
) -> RoleGrant:
    """Give a member a role, until ``expires_at`` where that is said. Giving it again moves the end.

    Raises ``Absent`` for who is no member, ``NoSelfGrant``, ``DutiesAreSeparate``, and
    ``InvalidOrder`` for an end that is over.
    """
    must_be_in_range(expires_at, field="expires_at")
    with transaction.atomic():
        lock_programme(programme_id)
        giver = act_in(programme_id, actor, Scope.PEOPLE_WRITE)
        if giver == party_id:
            raise NoSelfGrant
        membership = _membership(programme_id, party_id)
        moment = now()
        if expires_at is not None and expires_at <= moment:
            raise InvalidOrder(
                "end_in_the_past", _("The role would be over already."), field="expires_at"
            )
        held = RoleGrant.objects.filter(membership=membership, role=role, ended_at=None)
        same = held.filter(LIVE_GRANT, expires_at=expires_at).first()
        if same is not None:
            return same
        held.update(ended_at=moment)
        with as_refusals():
            grant = RoleGrant.objects.create(
                membership=membership,
                role=role,
                granted_by_id=giver,
                granted_at=moment,
                expires_at=expires_at,
            )
        _tell("role.granted", grant, giver, until=expires_at and expires_at.isoformat())
    return grant


def end_role(*, programme_id: UUID, party_id: UUID, role: Role, actor: Actor | None = None) -> None:
    """It gives nothing from now on. Ending it twice is fine.

    Raises ``LastManager`` where nobody would look after the programme any more; administrators
    and the machine may do it all the same.
    """
    with transaction.atomic():
        lock_programme(programme_id)  # of two managers who end each other, one comes second
        if role == Role.MANAGER:
            end_offers_of(party_id, programme_id)
        ender = act_in(programme_id, actor, Scope.PEOPLE_WRITE)
        grant = RoleGrant.objects.filter(
            membership=_membership(programme_id, party_id), role=role, ended_at=None
        ).first()
        if grant is None:
            return
        if role == Role.MANAGER:
            keep_a_manager(programme_id, party_id, actor)
        RoleGrant.objects.filter(id=grant.id).update(ended_at=now())
        _tell("role.ended", grant, ender, why="ended")


def keep_a_manager(programme_id: UUID, party_id: UUID, actor: Actor | None) -> None:
    """Inside a transaction that holds the programme. Raises ``LastManager``."""
    may_empty = actor is None or _is_administrator(actor.party_id)
    if not may_empty and not other_managers(programme_id, party_id):
        raise LastManager


def end_offers_of(party_id: UUID, programme_id: UUID | None) -> None:
    """End the open invitations of a manager who goes, or all of theirs where they leave the house.

    In a programme, an administrator may still offer and keeps theirs. Before the credentials, as
    the order of locks has it; inside the caller's transaction.
    """
    if programme_id is not None and _is_administrator(party_id):
        return
    # In SQL: who invites stands on roles, so that roles cannot stand on invitations.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_invitation SET ended_at = core_now(), email = '' WHERE id IN ("
            " SELECT id FROM accounts_invitation WHERE made_by_id = %s AND ended_at IS NULL"
            " AND (%s::uuid IS NULL OR programme_id = %s) ORDER BY id FOR UPDATE)",
            [party_id, programme_id, programme_id],
        )


def end_expired_grants() -> int:
    """Write the end of grants whose time is up. Nothing depends on it: every question asks the
    time itself; but the holder hears of it, and the role can be given anew."""
    return sweep("end_expired_grants", grants_run_out()[:ENDED_AT_ONCE], _end_grant)


def _end_grant(grant: RoleGrant) -> bool:
    if grant.role == Role.MANAGER:
        end_offers_of(grant.membership.party_id, grant.membership.programme_id)
    if not RoleGrant.objects.filter(id=grant.id, ended_at=None).update(ended_at=now()):
        return False
    _tell("role.ended", grant, None, why="time_up")
    return True


@contextmanager
def as_refusals() -> Iterator[None]:
    """What the database refuses about roles, said as a refusal. In a savepoint of its own."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        match getattr(getattr(refused.__cause__, "diag", None), "constraint_name", None):
            case "duties_are_separate":
                raise DutiesAreSeparate from None
            case "nobody_grants_themselves_a_role" | "nobody_makes_themselves_an_administrator":
                raise NoSelfGrant from None
            case "a_role_is_granted_by_who_may" | "an_administrator_is_made_by_one":
                raise GiverMayNot from None
        raise


def _is_administrator(party_id: UUID) -> bool:
    return administrators_now().filter(party_id=party_id).exists()


def _membership(programme_id: UUID, party_id: UUID) -> Membership:
    membership = membership_of(programme_id, party_id)
    if membership is None:
        raise Absent
    return membership


def _tell(kind: str, grant: RoleGrant, actor: UUID | None, **facts: Any) -> None:
    subject = ("programme", grant.membership.programme_id)
    holder = grant.membership.party_id
    record(kind, subject=subject, actor=actor, party=str(holder), role=grant.role, **facts)
    say(kind, subject=subject, party=holder, role=grant.role, **facts)
