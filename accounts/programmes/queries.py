from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.programmes.models import Membership, Particulars, Programme, Role, RoleGrant
from core.clock import CoreNow, now
from core.errors import Absent, NotAllowed


class ProgrammeClosed(NotAllowed):
    code = "programme_closed"


class ProgrammeNotBegun(NotAllowed):
    code = "programme_not_begun"


class ProgrammeOver(NotAllowed):
    code = "programme_over"


LIVE_GRANT = Q(ended_at=None) & (Q(expires_at=None) | Q(expires_at__gt=CoreNow()))


def programmes_listed() -> QuerySet[Programme]:
    """All of them, by name: that a programme exists, and on which terms, is public."""
    return Programme.objects.order_by("name", "id")


def programme_by_id(programme_id: UUID) -> Programme:
    return Programme.objects.get(id=programme_id)


def programme_by_slug(slug: str) -> Programme:
    """Raises ``Absent`` where there is none of this name."""
    found = Programme.objects.filter(slug=slug).first()
    if found is None:
        raise Absent
    return found


def programmes_of(party_id: UUID) -> QuerySet[Programme]:
    return Programme.objects.filter(
        memberships__party_id=party_id, memberships__ended_at=None
    ).order_by("made_at", "id")


def roles_in(programme_id: UUID, party_id: UUID) -> frozenset[str]:
    return frozenset(
        RoleGrant.objects.filter(
            LIVE_GRANT,
            membership__programme_id=programme_id,
            membership__party_id=party_id,
            membership__ended_at=None,
        ).values_list("role", flat=True)
    )


def parties_with_role(programme_id: UUID, role: Role) -> QuerySet[RoleGrant, UUID]:
    """The ids of everybody who holds the role now."""
    return RoleGrant.objects.filter(
        LIVE_GRANT,
        membership__programme_id=programme_id,
        membership__ended_at=None,
        role=role,
    ).values_list("membership__party_id", flat=True)


def membership_of(programme_id: UUID, party_id: UUID) -> Membership | None:
    """The live membership, with its programme."""
    return (
        Membership.objects.select_related("programme")
        .filter(programme_id=programme_id, party_id=party_id, ended_at=None)
        .first()
    )


def memberships_ended(party_id: UUID) -> QuerySet[Membership]:
    """Of programmes that this party was in and is in no more, the last to end first; of one that
    they were in several times, the last time."""
    mine = Membership.objects.filter(party_id=party_id)
    again = mine.filter(programme_id=OuterRef("programme_id"))
    later = again.filter(
        Q(ended_at=None)
        | Q(ended_at__gt=OuterRef("ended_at"))
        | Q(ended_at=OuterRef("ended_at"), id__gt=OuterRef("id"))
    )
    over = mine.filter(ended_at__isnull=False).exclude(Exists(later))
    return over.select_related("programme").order_by("-ended_at", "-id")


def particulars_in_force(programme_id: UUID) -> Particulars | None:
    """What the programme says about itself now: the newest version."""
    return Particulars.objects.filter(programme_id=programme_id).order_by("-number").first()


def name_at(programme_id: UUID, at: datetime) -> str:
    """What the programme was called at a moment."""
    then = Particulars.objects.filter(programme_id=programme_id, published_at__lte=at)
    version = then.order_by("-number").first()
    return str(version.name if version else programme_by_id(programme_id).name)


def is_working(programme_id: UUID) -> bool:
    """Whether testers may begin new work now: it is open, and today is one of its days."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT programme_is_working(%s)", [programme_id])
        (works,) = cursor.fetchone()
    return bool(works)


def must_be_working(programme_id: UUID) -> None:
    """Raises ``ProgrammeClosed``, ``ProgrammeNotBegun`` or ``ProgrammeOver``: why there is no new
    work for testers now."""
    if is_working(programme_id):
        return
    particulars, programme = particulars_in_force(programme_id), programme_by_id(programme_id)
    sentence = (
        _("The programme is closed at the moment.")
        if programme.opened_at
        else _("The programme is not open yet.")
    )
    if particulars is not None:
        today = now().astimezone(ZoneInfo(particulars.time_zone)).date()
        if programme.is_open:
            _must_have_begun(particulars.opens_on, today)
            _must_not_be_over(particulars.closes_on, today)
        if particulars.opens_on and today < particulars.opens_on:
            day = formats.date_format(particulars.opens_on)
            sentence += " " + _("Its first day is to be %(day)s.") % {"day": day}
    raise ProgrammeClosed(sentence)


def why_not_working(programme_id: UUID) -> str:
    """The sentence of that refusal; empty while testers may begin new work."""
    try:
        must_be_working(programme_id)
    except NotAllowed as refusal:
        return refusal.sentence
    return ""


def _must_have_begun(opens_on: date | None, today: date) -> None:
    if opens_on and today < opens_on:
        raise ProgrammeNotBegun(
            _("The programme begins on %(day)s.") % {"day": formats.date_format(opens_on)},
            opens_on=opens_on.isoformat(),
        )


def _must_not_be_over(closes_on: date | None, today: date) -> None:
    if closes_on and closes_on < today:
        raise ProgrammeOver(
            _("The programme's last day was %(day)s.") % {"day": formats.date_format(closes_on)},
            closes_on=closes_on.isoformat(),
        )
