"""Leaving: everything that gives access or is under way ends in one transaction, on every floor.

What is finished stays: clips, submissions, decisions, releases, credit lines, and what is owed.
Order of locks: programmes (by id), person, invitations, credentials, jobs (by id), reservations
and budgets, cases (by id), and the membership last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.administrators.commands import (
    act_as_administrator,
    end_administrator,
    lock_administrators,
)
from accounts.administrators.queries import administrators_now
from accounts.credentials.commands import act_in, end_access
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.entrance.commands import close_account
from accounts.people.models import Person
from accounts.programmes.commands import lock_programme
from accounts.programmes.models import Membership
from accounts.programmes.queries import roles_in
from accounts.roles.commands import end_offers_of, keep_a_manager
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, NotAllowed
from core.outbox.commands import say
from generation.jobs.commands import cancel_jobs_of
from generation.references.commands import remove_references_of
from generation.references.rules import Why as ReferenceWhy
from greenroom.offboarding.queries import live_memberships
from greenroom.offboarding.rules import Why
from review.desk.commands import return_cases_of


class OwnMembership(NotAllowed):
    code = "own_membership"

    def __init__(self) -> None:
        super().__init__(_("Somebody else ends your membership. Ask another manager."))


@dataclass(frozen=True, slots=True)
class Ended:
    """What a leaving ended: programmes, credentials, jobs cancelled and asked to stop, cases handed
    back."""

    programmes: int = 0
    credentials: int = 0
    jobs_cancelled: int = 0
    jobs_stopping: int = 0
    cases_returned: int = 0


def offboard_member(
    *, programme_id: UUID, party_id: UUID, reason: Why, actor: Actor | None = None
) -> Ended:
    """End a membership with all that hangs on it; the person keeps their account.

    Raises ``Absent`` for who is no member, ``OwnMembership``, and ``LastManager`` where nobody
    would look after the programme any more.
    """
    with transaction.atomic():
        lock_programme(programme_id)
        _lock_people(party_id, actor)
        end_offers_of(party_id, programme_id)
        by = act_in(programme_id, actor, Scope.PEOPLE_WRITE)
        if by == party_id:
            raise OwnMembership
        memberships = live_memberships(party_id, [programme_id])
        if not memberships:
            raise Absent
        _keep_managed(programme_id, party_id, actor)
        credentials = end_access(
            party_id=party_id, programme_id=programme_id, reason="member_left", actor=actor
        )
        return _end_memberships(memberships, credentials, reason, actor)


def offboard_everywhere(*, party_id: UUID, reason: Why, actor: Actor | None = None) -> Ended:
    """The same in every programme at once, and the account is closed. By administrators only.

    Raises ``Absent`` for who has no account here, ``OwnMembership``, ``LastAdministrator``.
    """
    with transaction.atomic():
        lock_administrators()
        for membership in live_memberships(party_id):
            lock_programme(membership.programme_id)
        person = _lock_people(party_id, actor)
        end_offers_of(party_id, None)
        by = act_as_administrator(actor)
        if by == party_id:
            raise OwnMembership
        if person is None:
            raise Absent
        if administrators_now().filter(party_id=party_id).exists():
            end_administrator(party_id=party_id, actor=actor)
        credentials = end_access(
            party_id=party_id, programme_id=None, reason="account_closed", actor=actor
        )
        close_account(person=person, actor=by)
        return _end_memberships(live_memberships(party_id), credentials, reason, actor)


def _end_memberships(
    memberships: list[Membership], credentials: int, reason: Why, actor: Actor | None
) -> Ended:
    cancelled = stopping = returned = 0
    for membership in memberships:
        place: dict[str, Any] = {
            "programme_id": membership.programme_id,
            "party_id": membership.party_id,
        }
        done, asked = cancel_jobs_of(**place, actor=actor)
        cancelled, stopping = cancelled + done, stopping + asked
        remove_references_of(**place, why=ReferenceWhy.LEFT, actor=actor)
    for membership in memberships:
        returned += return_cases_of(
            programme_id=membership.programme_id, reviewer_id=membership.party_id
        )
    for membership in memberships:
        _end_membership(membership, reason, actor)
    return Ended(len(memberships), credentials, cancelled, stopping, returned)


def _end_membership(membership: Membership, reason: Why, actor: Actor | None) -> None:
    """Its roles and its seats in cohorts end with it: the database sees to that."""
    roles = sorted(roles_in(membership.programme_id, membership.party_id))
    Membership.objects.filter(id=membership.id, ended_at=None).update(ended_at=now())
    subject = ("programme", membership.programme_id)
    record(
        "member.ended",
        subject=subject,
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        party=str(membership.party_id),
        roles=roles,
        why=reason.value,
    )
    say("member.ended", subject=subject, party=membership.party_id)


def _lock_people(party_id: UUID, actor: Actor | None) -> Person | None:
    """Whoever leaves, so that they do not sign in meanwhile; None for who was erased: their
    membership ends all the same. Whoever acts, too, and in one order: two who end each other in
    two programmes would otherwise each wait for the other's credential."""
    parties = {party_id, actor.party_id} if actor else {party_id}
    people = Person.objects.filter(party_id__in=parties).order_by("id")
    found = list(people.select_for_update(no_key=True))
    return next((person for person in found if person.party_id == party_id), None)


def _keep_managed(programme_id: UUID, party_id: UUID, actor: Actor | None) -> None:
    if "manager" in roles_in(programme_id, party_id):
        keep_a_manager(programme_id, party_id, actor)
