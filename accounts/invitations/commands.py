"""Inviting, sending again and withdrawing. How one is taken stands in ``accounts.arrivals``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.administrators.commands import act_as_administrator, lock_administrators
from accounts.administrators.queries import administrators_now
from accounts.cohorts.models import Cohort
from accounts.credentials.commands import act_in
from accounts.credentials.peppers import current
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.invitations.lists import Fault, Line, read_list, shown_cell
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitation_secret
from accounts.invitations.rules import LASTS, MOST_SENT_AGAIN, SENT_AGAIN_AFTER, digest_of
from accounts.people.models import Person
from accounts.programmes.commands import lock_programme
from accounts.programmes.models import Membership, Programme, Role
from accounts.programmes.rules import ADMINISTRATOR, is_a_language
from core.audit.commands import record
from core.clock import CoreNow, in_utc, now
from core.errors import Absent, InvalidOrder, Kind, NotAllowed, Refusal, TooLate
from core.ids import new_id, shown
from core.outbox.commands import say

LONGEST_ADDRESS = 254  # as the columns have it


class AlreadyInvited(TooLate):
    """``facts["invitation"]`` is the open one, shown: it can be sent again, or withdrawn."""

    code = "already_invited"

    def __init__(self, invitation: str) -> None:
        super().__init__(
            _("This person is invited already. Send that invitation again, or withdraw it first."),
            field="email",
            invitation=invitation,
        )


class SentAMomentAgo(Refusal):
    """``facts["may_be_sent_at"]`` says from when on it may be sent again."""

    kind = Kind.EXHAUSTED
    code = "invitation_sent_a_moment_ago"

    def __init__(self, again_at: datetime, moment: datetime) -> None:
        minutes = max(1, math.ceil((again_at - moment) / timedelta(minutes=1)))
        super().__init__(
            ngettext(
                "Letters went out a moment ago. You can send this again in %(minutes)s minute.",
                "Letters went out a moment ago. You can send this again in %(minutes)s minutes.",
                minutes,
            )
            % {"minutes": minutes},
            may_be_sent_at=in_utc(again_at),
        )


class NoSelfInvitation(NotAllowed):
    """Whoever takes a seat has it from somebody else; said at once, not when the link is opened."""

    code = "no_self_invitation"

    def __init__(self) -> None:
        super().__init__(
            _(
                "That is your own address, and nobody gives themselves a role. Ask another manager"
                " or administrator to invite you."
            ),
            field="email",
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
    or somebody who is a member already, ``NoSelfInvitation`` for the inviter's own address,
    ``AlreadyInvited`` for an open invitation.
    """
    address = _checked(email)
    _must_be_a_language(language)
    with transaction.atomic():
        # Two invitations to one address at once: the programme's row puts them in a line.
        programme = _inviting(programme_id)
        _must_be_its_cohort(programme, cohort_id)
        _refuse_member(programme, address)
        _refuse_invited(programme.id, address)
        if address == _address_of(invited_by):
            raise NoSelfInvitation
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
        own = _address_of(inviter)
        seen: dict[str, int] = {}
        for line in lines:
            fault = _fault_of(line, members, waiting, seen) or _own_fault(line, own)
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
        end_invitations(Invitation.objects.filter(programme=None, ended_at=None))
        return _make(None, address, ADMINISTRATOR, None, "", None)


def resend_invitation(*, invitation_id: UUID, actor: Actor | None = None) -> Invitation:
    """Another link and another week; the link before opens no more.

    Raises ``Absent`` for one that was taken or withdrawn, or that is not the actor's to send,
    ``SentAMomentAgo`` where it, or as many as one programme may send at a time, went out within
    the last minutes.
    """
    with transaction.atomic():
        # Of several who send at once, each sees what the others sent.
        _hold_place_of(invitation_id)
        invitation, by = _to_change(invitation_id, actor)
        moment = now()
        _must_not_hammer(invitation, moment)
        number = invitation.number + 1
        pepper_id, digest = _fresh_digest(invitation.id, number)
        Invitation.objects.filter(id=invitation.id, number=invitation.number).update(
            number=number,
            digest=digest,
            pepper_id=pepper_id,
            sent_at=moment,
            expires_at=max(invitation.expires_at, moment + LASTS),
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
        end_invitations(Invitation.objects.filter(id=invitation.id))
        record("invitation.revoked", subject=("invitation", invitation.id), actor=by)


def end_expired_invitations() -> int:
    """Forget the addresses on invitations that nobody took."""
    with transaction.atomic():
        return _end_old(Invitation.objects.all())


# Steps -------------------------------------------------------------------------------------------


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
        sent_at=moment,
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


def _hold_place_of(invitation_id: UUID) -> None:
    """The programme it invites to, or the line of the administrators. Raises ``Absent``."""
    place = Invitation.objects.filter(id=invitation_id).values_list("programme_id", flat=True)
    if not place:
        raise Absent
    if place[0] is None:
        lock_administrators()
    else:
        lock_programme(place[0])


def _must_not_hammer(invitation: Invitation, moment: datetime) -> None:
    since = moment - SENT_AGAIN_AFTER
    if invitation.sent_at > since:
        raise SentAMomentAgo(invitation.sent_at + SENT_AGAIN_AFTER, moment)
    sent = _invitations_to(invitation.programme_id).filter(number__gt=1, sent_at__gt=since)
    times = list(sent.order_by("-sent_at").values_list("sent_at", flat=True)[:MOST_SENT_AGAIN])
    if len(times) == MOST_SENT_AGAIN:
        raise SentAMomentAgo(times[-1] + SENT_AGAIN_AFTER, moment)


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


def end_invitations(invitations: QuerySet[Invitation], *, accepted_by: UUID | None = None) -> int:
    """Their links open no more, and their addresses are forgotten; inside the caller's
    transaction. How many there were."""
    return invitations.update(ended_at=CoreNow(), email="", accepted_by_id=accepted_by)


def _end_old(invitations: QuerySet[Invitation]) -> int:
    return end_invitations(invitations.filter(ended_at=None, expires_at__lte=CoreNow()))


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


def _own_fault(line: Line, own: str | None) -> Fault | None:
    if line.email != own:
        return None
    refused = NoSelfInvitation()
    return Fault(line.number, refused.code, refused.sentence, shown_cell(line.email))


def _address_of(party_id: UUID | None) -> str | None:
    """None at the machine, which has none."""
    if party_id is None:
        return None
    return Person.objects.filter(party_id=party_id).values_list("email", flat=True).first()


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
