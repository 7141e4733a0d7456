"""Inviting, and taking an invitation: the only way into the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.administrators.commands import (
    act_as_administrator,
    lock_administrators,
    make_administrator,
)
from accounts.administrators.queries import administrators_now
from accounts.cohorts.commands import take_seat
from accounts.cohorts.models import Cohort
from accounts.credentials.commands import act_in
from accounts.credentials.peppers import current
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.invitations.lists import Fault, Line, read_list, shown_cell
from accounts.invitations.models import Invitation
from accounts.invitations.queries import (
    invitation_secret,
    invitations_open,
    offered_language,
)
from accounts.invitations.rules import LASTS, digest_of
from accounts.people.models import Person, PersonalDetail
from accounts.programmes.commands import add_member, lock_programme
from accounts.programmes.models import Membership, Programme, Role
from accounts.programmes.queries import membership_of, particulars_in_force
from accounts.programmes.rules import ADMINISTRATOR, is_a_language
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget
from accounts.quotas.models import Kind as BudgetKind
from accounts.roles.commands import GiverMayNot, NoSelfGrant, as_refusals
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import Absent, InvalidOrder, Kind, Refusal, TooLate
from core.ids import new_id, shown
from core.outbox.commands import say

LONGEST_ADDRESS = 254  # as the columns have it


class InvitationGone(Refusal):
    """Used, withdrawn, expired or never made: one answer for all of them."""

    kind = Kind.ABSENT
    code = "invitation_gone"

    def __init__(self) -> None:
        super().__init__(
            _("This invitation does not open any more. Ask your programme manager for a new one.")
        )


class AlreadyInvited(TooLate):
    """``facts["invitation"]`` is the open one, shown: it can be sent again, or withdrawn."""

    code = "already_invited"

    def __init__(self, invitation: str) -> None:
        super().__init__(
            _("This person is invited already. Send that invitation again, or withdraw it first."),
            field="email",
            invitation=invitation,
        )


@dataclass(frozen=True, slots=True)
class CsvResult:
    """``faults`` in the order of the file; everybody else is among ``invited``."""

    invited: list[Invitation] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


# Inviting ----------------------------------------------------------------------------------------


def invite_person(
    *,
    programme_id: UUID,
    email: str,
    role: Role,
    cohort_id: UUID | None = None,
    language: str = "",
    invited_by: UUID | None = None,
) -> Invitation:
    """Offer a seat, to a programme that is open or not open yet; the link is sent by who hears.

    The caller has seen that ``invited_by`` may. Raises ``InvalidOrder`` for an impossible address
    or somebody who is a member already, ``AlreadyInvited`` for an open invitation.
    """
    address = _checked(email)
    _must_be_a_language(language)
    with transaction.atomic():
        # Two invitations to one address at once: the programme's row puts them in a line.
        programme = _inviting(programme_id)
        _must_be_its_cohort(programme, cohort_id)
        _refuse_member(programme, address)
        _refuse_invited(programme.id, address)
        return _make(programme.id, address, role, cohort_id, language, invited_by)


def invite_member(
    *, actor: Actor, email: str, role: Role, cohort_id: UUID | None = None, language: str = ""
) -> Invitation:
    """``invite_person`` to the programme the actor looks after, by the actor."""
    with transaction.atomic():
        _inviting(actor.programme)
        inviter = act_in(actor.programme, actor, Scope.PEOPLE_WRITE)
        return invite_person(
            programme_id=actor.programme,
            email=email,
            role=role,
            cohort_id=cohort_id,
            language=language,
            invited_by=inviter,
        )


def invite_many(
    *,
    actor: Actor | None,
    csv_bytes: bytes,
    role: Role,
    cohort_id: UUID | None = None,
    programme_id: UUID | None = None,
) -> CsvResult:
    """Invite everybody on the list, all as ``role``; faulty lines are told and the rest invited.

    ``programme_id`` says where at the machine (``actor`` None). Sending the same list twice
    invites nobody twice. Raises ``InvalidOrder`` where the file is no list; see ``read_list``.
    """
    place = actor.programme if actor else programme_id
    assert place is not None, "the machine says which programme"
    lines, faults = read_list(csv_bytes)
    invited: list[Invitation] = []
    with transaction.atomic():
        programme = _inviting(place)
        inviter = act_in(place, actor, Scope.PEOPLE_WRITE)
        _must_be_its_cohort(programme, cohort_id)
        _end_old(Invitation.objects.filter(programme_id=place))
        addresses = [line.email for line in lines]
        members = _members_among(place, addresses)
        waiting = _waiting_among(place, addresses)
        seen: dict[str, int] = {}
        for line in lines:
            fault = _fault_of(line, members, waiting, seen)
            if fault is not None:
                faults.append(fault)
                continue
            seen[line.email] = line.number
            invited.append(_make(place, line.email, role, cohort_id, line.language, inviter))
    return CsvResult(invited, sorted(faults, key=lambda fault: fault.line))


def invite_administrator(*, actor: Actor, email: str, language: str = "") -> Invitation:
    """By an administrator only. Raises as ``invite_person`` does."""
    address = _checked(email)
    _must_be_a_language(language)
    with transaction.atomic():
        lock_administrators()
        inviter = act_as_administrator(actor)
        if administrators_now().filter(party__person__email=address).exists():
            raise InvalidOrder(
                "already_member", _("This person is an administrator already."), field="email"
            )
        _refuse_invited(None, address)
        return _make(None, address, ADMINISTRATOR, None, language, inviter)


def invite_first_administrator(*, email: str) -> Invitation:
    """At the machine, while there is no administrator. An earlier such link opens no more.

    Raises ``TooLate`` where there is one: they invite the others.
    """
    address = _checked(email)
    with transaction.atomic():
        lock_administrators()
        if administrators_now().exists():
            raise TooLate(
                _("There is an administrator already. They invite others on the page “People”.")
            )
        _end(Invitation.objects.filter(programme=None, ended_at=None))
        return _make(None, address, ADMINISTRATOR, None, "", None)


def resend_invitation(*, invitation_id: UUID, actor: Actor | None = None) -> Invitation:
    """Another link and another week; the link before opens no more.

    Raises ``Absent`` for one that was taken or withdrawn, or that is not the actor's to send.
    """
    with transaction.atomic():
        invitation, by = _to_change(invitation_id, actor)
        number = invitation.number + 1
        pepper_id, digest = _fresh_digest(invitation.id, number)
        Invitation.objects.filter(id=invitation.id, number=invitation.number).update(
            number=number,
            digest=digest,
            pepper_id=pepper_id,
            # Of two at once, the second to come may have begun first.
            expires_at=max(invitation.expires_at, now() + LASTS),
        )
        subject = ("invitation", invitation.id)
        record("invitation.resent", subject=subject, actor=by, number=number)
        say("invitation.resent", subject=subject, number=number)
        invitation.refresh_from_db()
    return invitation


def revoke_invitation(*, invitation_id: UUID, actor: Actor | None = None) -> None:
    """The link opens no more, and the address is forgotten. Raises as ``resend_invitation``."""
    with transaction.atomic():
        invitation, by = _to_change(invitation_id, actor)
        _end(Invitation.objects.filter(id=invitation.id))
        record("invitation.revoked", subject=("invitation", invitation.id), actor=by)


def end_expired_invitations() -> int:
    """Forget the addresses on invitations that nobody took."""
    with transaction.atomic():
        return _end_old(Invitation.objects.all())


# Taking ------------------------------------------------------------------------------------------


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


# Steps -------------------------------------------------------------------------------------------


def _take(invitation: Invitation, party_id: UUID) -> None:
    try:
        _seat(invitation, party_id)
    except (NoSelfGrant, GiverMayNot):
        # Somebody invited a second address of their own, or may not give the role any more.
        raise InvitationGone from None
    _end(Invitation.objects.filter(id=invitation.id), accepted_by=party_id)
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


def _make(
    programme_id: UUID | None,
    address: str,
    role: str,
    cohort_id: UUID | None,
    language: str,
    invited_by: UUID | None,
) -> Invitation:
    invitation_id, moment = new_id(), now()
    pepper_id, digest = _fresh_digest(invitation_id, 1)
    invitation = Invitation.objects.create(
        id=invitation_id,
        programme_id=programme_id,
        cohort_id=cohort_id,
        email=address,
        role=role,
        language=language,
        digest=digest,
        pepper_id=pepper_id,
        made_by_id=invited_by,
        made_at=moment,
        expires_at=moment + LASTS,
    )
    subject = ("invitation", invitation_id)
    place = str(programme_id) if programme_id else None
    record("invitation.made", subject=subject, actor=invited_by, role=str(role), programme=place)
    say("invitation.made", subject=subject, number=1)
    return invitation


def _fresh_digest(invitation_id: UUID, number: int) -> tuple[str, bytes]:
    pepper_id, _key = current()
    return pepper_id, digest_of(invitation_secret(invitation_id, number, pepper_id))


def _inviting(programme_id: UUID) -> Programme:
    """Held until the commit. A programme that was opened and is closed again invites nobody."""
    programme = lock_programme(programme_id)
    if programme.opened_at and not programme.is_open:
        raise Absent
    return programme


def _to_change(invitation_id: UUID, actor: Actor | None) -> tuple[Invitation, UUID | None]:
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .filter(id=invitation_id, ended_at=None)
        .first()
    )
    if invitation is None:
        raise Absent
    if invitation.programme_id is None:
        return invitation, act_as_administrator(actor)
    return invitation, act_in(invitation.programme_id, actor, Scope.PEOPLE_WRITE)


def _locked(invitation_id: UUID, number: int | None) -> Invitation:
    """The open invitation, held against a second taker until the commit."""
    found = invitations_open().filter(id=invitation_id).select_for_update(of=("self",)).first()
    if found is None or number not in (None, found.number):
        raise InvitationGone
    return found


def _end(invitations: QuerySet[Invitation], accepted_by: UUID | None = None) -> int:
    return invitations.update(ended_at=CoreNow(), email="", accepted_by_id=accepted_by)


def _end_old(invitations: QuerySet[Invitation]) -> int:
    return _end(invitations.filter(ended_at=None, expires_at__lte=CoreNow()))


def _refuse_member(programme: Programme, address: str) -> None:
    if _members_among(programme.id, [address]):
        raise _already_member()


def _refuse_invited(programme_id: UUID | None, address: str) -> None:
    """Of one that ran out only the address is forgotten."""
    _end_old(_invitations_to(programme_id).filter(email=address))
    waiting = _waiting_among(programme_id, [address]).get(address)
    if waiting is not None:
        raise AlreadyInvited(shown("invitation", waiting))


def _members_among(programme_id: UUID, addresses: list[str]) -> set[str]:
    members = Membership.objects.filter(
        programme_id=programme_id, ended_at=None, party__person__email__in=addresses
    )
    return set(members.values_list("party__person__email", flat=True))


def _waiting_among(programme_id: UUID | None, addresses: list[str]) -> dict[str, UUID]:
    waiting = _invitations_to(programme_id).filter(ended_at=None, email__in=addresses)
    return dict(waiting.values_list("email", "id"))


def _invitations_to(programme_id: UUID | None) -> QuerySet[Invitation]:
    if programme_id is None:
        return Invitation.objects.filter(programme=None)
    return Invitation.objects.filter(programme_id=programme_id)


def _fault_of(
    line: Line, members: set[str], waiting: dict[str, UUID], seen: dict[str, int]
) -> Fault | None:
    number, address, text = line.number, line.email, shown_cell(line.email)
    try:
        _checked(address)
    except InvalidOrder as wrong:
        return Fault(number, wrong.code, wrong.sentence, text)
    if address in seen:
        sentence = _("This address stands on line %(line)s already.") % {"line": seen[address]}
        return Fault(number, "address_twice", sentence, text)
    if address in members:
        refused = _already_member()
        return Fault(number, refused.code, refused.sentence, text)
    if address in waiting:
        invited = AlreadyInvited(shown("invitation", waiting[address]))
        return Fault(number, invited.code, invited.sentence, text, invited.facts["invitation"])
    return None


def _already_member() -> InvalidOrder:
    return InvalidOrder(
        "already_member", _("This person is in the programme already."), field="email"
    )


def _must_be_its_cohort(programme: Programme, cohort_id: UUID | None) -> None:
    if cohort_id is None:
        return
    if not Cohort.objects.filter(id=cohort_id, programme=programme, ended_at=None).exists():
        raise InvalidOrder(
            "cohort_unknown", _("There is no such cohort in this programme."), field="cohort"
        )


def _must_be_a_language(language: str) -> None:
    if language and not is_a_language(language):
        raise InvalidOrder(
            "language_unknown",
            _("Languages are written like “en” or “pt-BR”."),
            field="language",
        )


def _checked(email: str) -> str:
    address = email.strip().lower()
    try:
        MaxLengthValidator(LONGEST_ADDRESS)(address)
        validate_email(address)
        # As it was written: “lower case” makes another's address of some signs.
        email.partition("@")[0].strip().encode("ascii")
    except (ValidationError, UnicodeEncodeError):
        raise InvalidOrder(
            "email_invalid", _("That is not an e-mail address."), field="email"
        ) from None
    return address
