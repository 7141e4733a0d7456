"""Taking an invitation: the only way into the house."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.administrators.commands import make_administrator
from accounts.cohorts.commands import take_seat
from accounts.cohorts.models import Cohort
from accounts.invitations.commands import end_invitations
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitations_open, offered_language
from accounts.people.models import Person, PersonalDetail
from accounts.programmes.commands import add_member
from accounts.programmes.models import Membership, Role
from accounts.programmes.queries import membership_of, particulars_in_force
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.roles.commands import GiverMayNot, NoSelfGrant, as_refusals
from core.audit.commands import record
from core.errors import Kind, Refusal


class InvitationGone(Refusal):
    """Used, withdrawn, expired or never made: one answer for all of them."""

    kind = Kind.ABSENT
    code = "invitation_gone"

    def __init__(self) -> None:
        super().__init__(
            _("This invitation does not open any more. Ask your programme manager for a new one.")
        )


def accept_as_new_person(
    *, invitation_id: UUID, password: str, display_name: str, number: int | None = None
) -> Person:
    """Make the person whom the invitation names. The caller has checked the password.

    ``number`` is that of the link the reader came with. Raises ``InvitationGone``, also where
    somebody of this address came in meanwhile, or it was sent again.
    """
    with transaction.atomic():
        invitation = _locked(invitation_id, number)
        if Person.objects.filter(email=invitation.email).exists():
            raise InvitationGone
        try:
            person = Person.objects.create_user(invitation.email, password)
        except IntegrityError:  # by another programme's invitation, in the same moment
            raise InvitationGone from None
        # The link reached its reader, which is all that "verified" means here.
        EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
        said = {"display_name": display_name, "language": offered_language(invitation)}
        PersonalDetail.objects.filter(person=person).update(**said)
        record("person.made", subject=("party", person.party_id), actor=person.party_id)
        _take(invitation, person.party_id)
    return person


def accept_as_member(*, invitation_id: UUID, person: Person, number: int | None = None) -> None:
    """Take the seat with the account one has; ``number`` as above.

    Raises ``InvitationGone`` for another's address and for an account that ended meanwhile, and
    ``DutiesAreSeparate`` where one holds a role that this one never joins.
    """
    with transaction.atomic():
        # Held, so that nobody leaves or is erased while they take a seat.
        held = Person.objects.select_for_update(no_key=True).filter(pk=person.pk, is_active=True)
        taker = held.first()
        invitation = _locked(invitation_id, number)
        if taker is None or invitation.email != taker.email:
            raise InvitationGone
        _take(invitation, taker.party_id)


def seat_person(
    *,
    programme_id: UUID,
    party_id: UUID,
    role: Role,
    cohort_id: UUID | None = None,
    granted_by: UUID | None = None,
) -> Membership:
    """A seat with all that belongs to it: role, cohort, and a new tester's own credits.

    Who has a seat keeps it as it is. Inside the caller's transaction.
    """
    membership = membership_of(programme_id, party_id)
    if membership is None:
        with as_refusals():
            membership = add_member(
                programme_id=programme_id, party_id=party_id, roles=[role], granted_by=granted_by
            )
        if role == Role.TESTER:
            _give_credits(programme_id, party_id)
    cohort = _cohort_still_there(cohort_id)
    if cohort is not None:
        take_seat(cohort, membership, granted_by)
    return membership


def _locked(invitation_id: UUID, number: int | None) -> Invitation:
    """The open invitation, held against a second taker until the commit."""
    found = invitations_open().filter(id=invitation_id).select_for_update(of=("self",)).first()
    if found is None or number not in (None, found.number):
        raise InvitationGone
    return found


def _take(invitation: Invitation, party_id: UUID) -> None:
    try:
        _seat(invitation, party_id)
    except (NoSelfGrant, GiverMayNot):
        # Somebody invited a second address of their own, or may not give the role any more.
        raise InvitationGone from None
    end_invitations(Invitation.objects.filter(id=invitation.id), accepted_by=party_id)
    record("invitation.accepted", subject=("invitation", invitation.id), actor=party_id)


def _seat(invitation: Invitation, party_id: UUID) -> None:
    if invitation.programme_id is not None:
        seat_person(
            programme_id=invitation.programme_id,
            party_id=party_id,
            role=Role(invitation.role),
            cohort_id=invitation.cohort_id,
            granted_by=invitation.made_by_id,
        )
        return
    with as_refusals():
        make_administrator(party_id=party_id, granted_by=invitation.made_by_id)


def _give_credits(programme_id: UUID, party_id: UUID) -> None:
    particulars = particulars_in_force(programme_id)
    place: dict[str, Any] = {
        "programme_id": programme_id,
        "party_id": party_id,
        "kind": BudgetKind.CREDITS,
    }
    if particulars is None or Budget.objects.filter(**place, lineage_id=None).exists():
        return
    if particulars.credits_per_tester:
        grant_budget(**place, limit=particulars.credits_per_tester)


def _cohort_still_there(cohort_id: UUID | None) -> Cohort | None:
    if cohort_id is None:
        return None
    waiting = Cohort.objects.select_for_update(no_key=True)
    return waiting.filter(id=cohort_id, ended_at=None).first()
