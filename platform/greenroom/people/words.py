"""People, roles and leavings in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.administrators.models import Administrator
from accounts.cohorts.models import Cohort
from accounts.invitations.lists import Fault
from accounts.invitations.models import Invitation
from accounts.people.models import Party, Person
from accounts.programmes.models import Membership, Role, RoleGrant
from accounts.programmes.words import ROLE_WORDS
from accounts.roles.queries import live_grants
from accounts.roles.rules import kept_apart
from core.ids import shown
from greenroom.offboarding.queries import UnderWay


@dataclass(frozen=True, slots=True)
class ShownMember:
    url: str
    name: str
    email: str
    roles: list[str]
    cohorts: list[str]
    joined_at: datetime
    seen: str


@dataclass(frozen=True, slots=True)
class ShownGrant:
    role: str
    words: str
    granted_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownInvitation:
    public_id: str
    email: str
    role: str
    cohort: str
    number: int
    made_at: datetime
    expires_at: datetime
    is_over: bool


def shown_members(
    members: list[Membership],
    cohorts: dict[Any, list[Cohort]],
    seen: dict[Any, datetime],
    moment: datetime,
) -> list[ShownMember]:
    return [
        ShownMember(
            url=reverse("person", args=[shown("party", member.party_id)]),
            name=name_of(member.party),
            email=email_of(member.party),
            roles=[role_words(grant.role) for grant in live_grants(member)],
            cohorts=[cohort.name for cohort in cohorts.get(member.id, [])],
            joined_at=member.joined_at,
            seen=seen_words(seen.get(member.party_id), moment),
        )
        for member in members
    ]


def shown_grants(member: Membership) -> list[ShownGrant]:
    return [_grant(grant) for grant in live_grants(member)]


def roles_to_give(member: Membership) -> list[tuple[str, str]]:
    """Those that are neither held nor kept apart from one that is; the database decides again."""
    held = frozenset(grant.role for grant in live_grants(member))
    return [
        (role.value, role_words(role))
        for role in Role
        if role.value not in held and not kept_apart(role.value, held)
    ]


def shown_invitation(invitation: Invitation, moment: datetime) -> ShownInvitation:
    return ShownInvitation(
        public_id=shown("invitation", invitation.id),
        email=invitation.email,
        role=role_words(invitation.role),
        cohort=invitation.cohort.name if invitation.cohort else "",
        number=invitation.number,
        made_at=invitation.made_at,
        expires_at=invitation.expires_at,
        is_over=invitation.expires_at <= moment,
    )


def shown_administrator(row: Administrator, reader: Any) -> dict[str, Any]:
    return {
        "public_id": shown("party", row.party_id),
        "name": name_of(row.party),
        "granted_at": row.granted_at,
        "is_reader": row.party_id == reader,
    }


def shown_fault(fault: Fault) -> dict[str, Any]:
    return {
        "line": fault.line,
        "text": fault.text,
        "sentence": fault.sentence,
        "invitation": fault.invitation,
    }


def name_of(party: Party) -> str:
    """As its colleagues call it; the id of who was erased."""
    person = _person(party)
    return person.get_full_name() if person else shown("party", party.id)


def email_of(party: Party) -> str:
    """Empty for who was erased."""
    person = _person(party)
    return person.email if person else ""


def role_words(role: str) -> str:
    return str(ROLE_WORDS[role])


def seen_words(at: datetime | None, moment: datetime) -> str:
    """Coarse on purpose: whether somebody is still about, not when they work."""
    if at is None:
        return _("Never")
    day, today = timezone.localdate(at), timezone.localdate(moment)
    if day == today:
        return _("Today")
    if day.isocalendar()[:2] == today.isocalendar()[:2]:
        return _("This week")
    return formats.date_format(day, "j M Y")


def leaving_words(found: UnderWay) -> list[str]:
    """What the button will do, line by line, with the figures of this moment."""
    lines = [_("Their roles and their seats in cohorts end. Coming back takes a new invitation.")]
    if found.tokens:
        lines.append(
            ngettext(
                "%(count)s token of this programme is revoked.",
                "%(count)s tokens of this programme are revoked.",
                found.tokens,
            )
            % {"count": found.tokens}
        )
    lines.append(_("They are signed out everywhere."))
    if found.waiting_jobs:
        lines.append(
            ngettext(
                "%(count)s job that waits is cancelled, with everything given back.",
                "%(count)s jobs that wait are cancelled, with everything given back.",
                found.waiting_jobs,
            )
            % {"count": found.waiting_jobs}
        )
    if found.running_jobs:
        lines.append(
            ngettext(
                "%(count)s job that renders stops at its next step.",
                "%(count)s jobs that render stop at their next step.",
                found.running_jobs,
            )
            % {"count": found.running_jobs}
        )
    if found.cases:
        lines.append(
            ngettext(
                "%(count)s case goes back to the desk; a verdict that is not final falls.",
                "%(count)s cases go back to the desk; verdicts that are not final fall.",
                found.cases,
            )
            % {"count": found.cases}
        )
    lines.append(
        _("Finished clips, submissions under way, releases, credit lines and pay stay as they are.")
    )
    return lines


def _grant(grant: RoleGrant) -> ShownGrant:
    return ShownGrant(
        role=grant.role,
        words=role_words(grant.role),
        granted_at=grant.granted_at,
        expires_at=grant.expires_at,
    )


def _person(party: Party) -> Person | None:
    return getattr(party, "person", None)
