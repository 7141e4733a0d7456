"""Who hears of something, what is told to somebody, and what it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.credentials.queries import Actor
from accounts.notices.models import Notice
from accounts.notices.rules import Topic, kinds_of
from accounts.programmes.models import Membership, Programme, Role, RoleGrant
from accounts.programmes.queries import LIVE_GRANT, parties_with_role
from core.errors import Absent
from core.ids import read_id
from core.outbox.models import OutboxMessage

COUNTED_TO = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """What a notice is about. ``name`` and ``words`` are for its owner alone to read, or for
    whoever hears of it where ``owner_id`` is None."""

    programme_id: UUID | None = None
    name: str = ""
    words: str = ""
    owner_id: UUID | None = None


Finder = Callable[[Collection[UUID]], Mapping[UUID, Subject]]
# The things of each kind are known on some floor above, which registers how they are found.
FINDERS: dict[str, Finder] = {}


def finder(thing: str) -> Callable[[Finder], Finder]:
    """Register what finds subjects of one kind, many at once; what it leaves out has no name."""

    def keep(function: Finder) -> Finder:
        FINDERS[thing] = function
        return function

    return keep


def audience(message: OutboxMessage) -> list[UUID]:
    """Who hears of it: the party it names, or those of its programme whom it concerns."""
    if message.party_id is not None:
        return [message.party_id]
    if message.kind in {"remark.written", "mail.bounced"}:
        return _managers(message)
    if message.kind in {"agreement.published", "consent.published", "programme.opened"}:
        return _testers(message)
    if message.kind == "announcement.made":
        return _members(message)
    if message.kind == "device.out":
        return _who_look_after_devices()
    return []


def _managers(message: OutboxMessage) -> list[UUID]:
    without = message.facts.get("without")  # whose own matter it is
    found = parties_with_role(UUID(message.facts["programme"]), Role.MANAGER).exclude(
        membership__party_id=without
    )
    return sorted(set(found))


def _who_look_after_devices() -> list[UUID]:
    """A device serves every programme: all their managers, and the administrators. In SQL, since
    administrators stand above."""
    managers = RoleGrant.objects.filter(LIVE_GRANT, membership__ended_at=None, role=Role.MANAGER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT party_id FROM accounts_administrator WHERE ended_at IS NULL")
        administrators = {party_id for (party_id,) in cursor.fetchall()}
    return sorted(administrators | set(managers.values_list("membership__party_id", flat=True)))


def _testers(message: OutboxMessage) -> list[UUID]:
    """What they alone answer, or may do from now on; not whoever did it."""
    is_about_it = message.subject_kind == "programme"
    programme_id = message.subject_id if is_about_it else UUID(message.facts["programme"])
    found = parties_with_role(programme_id, Role.TESTER).exclude(
        membership__party_id=message.facts.get("without")
    )
    return sorted(set(found))


def _members(message: OutboxMessage) -> list[UUID]:
    members = Membership.objects.filter(
        programme_id=UUID(message.facts["programme"]), ended_at=None
    ).exclude(party_id=message.facts.get("without"))
    cohort = message.facts.get("cohort")
    if cohort:
        members = members.filter(seats__cohort_id=UUID(cohort), seats__ended_at=None)
    return sorted(members.values_list("party_id", flat=True))


def notices_of(
    party_id: UUID, *, unread: bool = False, topic: Topic | None = None
) -> QuerySet[Notice]:
    """Newest first."""
    found = Notice.objects.filter(party_id=party_id).order_by("-at", "-id")
    if unread:
        found = found.filter(read_at=None)
    return found.filter(kind__in=kinds_of({topic})) if topic else found


def unread_notices(party_id: UUID) -> QuerySet[Notice]:
    return notices_of(party_id, unread=True)


def unread_count(party_id: UUID) -> int:
    """Counted no further than to a hundred."""
    return unread_notices(party_id).order_by()[:COUNTED_TO].count()


def notice_for(actor: Actor, shown_id: str) -> Notice:
    """One of the actor's own. Raises ``Absent`` for everybody else's."""
    notice_id = read_id("notice", shown_id)
    mine = Notice.objects.filter(party_id=actor.party_id)
    found = mine.filter(id=notice_id).first() if notice_id else None
    if found is None:
        raise Absent
    return found


def those_until(notices: QuerySet[Notice], moment: datetime | None) -> QuerySet[Notice]:
    return notices.filter(Q(at__lte=moment)) if moment else notices


def subjects_of(notices: Iterable[Notice]) -> dict[UUID, Subject]:
    """By the notice's id. One query for each kind of thing, however many notices there are."""
    found: dict[UUID, Subject] = {}
    in_order = sorted(notices, key=lambda notice: notice.subject_kind)
    for thing, group in groupby(in_order, key=lambda notice: notice.subject_kind):
        same = list(group)
        known = FINDERS[thing]({one.subject_id for one in same}) if thing in FINDERS else {}
        found |= {notice.id: _seen_by(notice, known.get(notice.subject_id)) for notice in same}
    return found


def _seen_by(notice: Notice, subject: Subject | None) -> Subject:
    said = notice.facts.get("programme")
    programme_id = subject.programme_id if subject else UUID(said) if said else None
    if subject is None or subject.owner_id not in (None, notice.party_id):
        return Subject(programme_id)
    return subject


def names_of_programmes(programme_ids: Iterable[UUID]) -> dict[UUID, str]:
    wanted = set(programme_ids)
    if not wanted:
        return {}
    return dict(Programme.objects.filter(id__in=wanted).values_list("id", "name"))


@finder("programme")
def _programmes(ids: Collection[UUID]) -> dict[UUID, Subject]:
    return {one: Subject(one, name) for one, name in names_of_programmes(ids).items()}
