"""Inviting, and taking an invitation: the only way into the house."""

from __future__ import annotations

from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.credentials.rules import random_base62
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitations_open
from accounts.invitations.rules import LASTS, SECRET_SIGNS, digest_of
from accounts.people.models import Person, PersonalDetail
from accounts.programmes.commands import add_member
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import membership_of
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import Absent, InvalidOrder, Kind, Refusal

LONGEST_ADDRESS = 254  # as the columns have it


class InvitationGone(Refusal):
    """Used, withdrawn, expired or never made: one answer for all of them."""

    kind = Kind.ABSENT
    code = "invitation_gone"

    def __init__(self) -> None:
        super().__init__(
            _("This invitation does not open any more. Ask your programme manager for a new one.")
        )


def invite_person(
    *, programme_id: UUID, email: str, role: Role, invited_by: UUID | None = None
) -> tuple[Invitation, str]:
    """Make an invitation; the returned secret exists nowhere else. An earlier one is withdrawn.

    Raises ``InvalidOrder`` for an impossible address or somebody who is a member already.
    """
    address = _checked(email)
    secret = random_base62(SECRET_SIGNS)
    with transaction.atomic():
        # Two invitations to one address at once: the programme's row puts them in a line.
        programme = Programme.objects.select_for_update().filter(id=programme_id).first()
        if programme is None or not programme.is_open:
            raise Absent
        _refuse_member(programme, address)
        _end(Invitation.objects.filter(programme=programme, email=address, ended_at=None))
        moment = now()
        invitation = Invitation.objects.create(
            programme=programme,
            email=address,
            role=role,
            digest=digest_of(secret),
            made_by_id=invited_by,
            made_at=moment,
            expires_at=moment + LASTS,
        )
        record(
            "invitation.made",
            subject=("invitation", invitation.id),
            actor=invited_by,
            programme=str(programme_id),
            role=role.value,
        )
    return invitation, secret


def accept_as_new_person(*, invitation_id: UUID, password: str, display_name: str) -> Person:
    """Make the person whom the invitation names. The caller has checked the password.

    Raises ``InvitationGone``, also where somebody of this address came in meanwhile.
    """
    with transaction.atomic():
        invitation = _locked(invitation_id)
        if Person.objects.filter(email=invitation.email).exists():
            raise InvitationGone
        try:
            person = Person.objects.create_user(invitation.email, password)
        except IntegrityError:  # by another programme's invitation, in the same moment
            raise InvitationGone from None
        # The link reached its reader, which is all that "verified" means here.
        EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
        if display_name:
            PersonalDetail.objects.filter(person=person).update(display_name=display_name)
        record("person.made", subject=("party", person.party_id), actor=person.party_id)
        _take_seat(invitation, person.party_id)
    return person


def accept_as_member(*, invitation_id: UUID, person: Person) -> None:
    """Take the seat with the account one has. Raises ``InvitationGone`` for another's address."""
    with transaction.atomic():
        invitation = _locked(invitation_id)
        if invitation.email != person.email:
            raise InvitationGone
        _take_seat(invitation, person.party_id)


def end_expired_invitations() -> int:
    """Forget the addresses on invitations that nobody took."""
    with transaction.atomic():
        return _end(Invitation.objects.filter(ended_at=None, expires_at__lte=CoreNow()))


def _take_seat(invitation: Invitation, party_id: UUID) -> None:
    if membership_of(invitation.programme_id, party_id) is None:
        add_member(
            programme_id=invitation.programme_id,
            party_id=party_id,
            roles=[Role(invitation.role)],
            granted_by=invitation.made_by_id,
        )
    _end(Invitation.objects.filter(id=invitation.id), accepted_by=party_id)
    record("invitation.accepted", subject=("invitation", invitation.id), actor=party_id)


def _locked(invitation_id: UUID) -> Invitation:
    """The open invitation, held against a second taker until the commit."""
    found = invitations_open().filter(id=invitation_id).select_for_update(of=("self",)).first()
    if found is None:
        raise InvitationGone
    return found


def _end(invitations: QuerySet[Invitation], accepted_by: UUID | None = None) -> int:
    return invitations.update(ended_at=CoreNow(), email="", accepted_by_id=accepted_by)


def _refuse_member(programme: Programme, address: str) -> None:
    if programme.memberships.filter(party__person__email=address, ended_at=None).exists():
        raise InvalidOrder(
            "already_member", _("This person is in the programme already."), field="email"
        )


def _checked(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
        MaxLengthValidator(LONGEST_ADDRESS)(address)
    except ValidationError:
        raise InvalidOrder(
            "email_invalid", _("That is not an e-mail address."), field="email"
        ) from None
    return address
