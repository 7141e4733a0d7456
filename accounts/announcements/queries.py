"""Who an announcement was for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.announcements.models import Announcement
from accounts.cohorts.models import Cohort
from accounts.credentials.queries import Actor
from accounts.notices.queries import Subject, finder
from accounts.programmes.models import Membership
from core.errors import Absent
from core.ids import read_id

STAFF = frozenset({"manager", "administrator", "auditor"})


def announcements_for(actor: Actor) -> QuerySet[Announcement]:
    """Of the actor's programme, newest first: all for its staff; for everybody else those to all
    and those to a cohort that they had a seat in."""
    found = (
        Announcement.objects.select_related("cohort")
        .filter(programme_id=actor.programme)
        .order_by("-made_at", "-id")
    )
    if actor.roles & STAFF:
        return found
    mine = Cohort.objects.filter(seats__membership__party_id=actor.party_id)
    return found.filter(Q(cohort=None) | Q(cohort__in=mine))


def announcement_for(actor: Actor, shown_id: str) -> Announcement:
    """Raises ``Absent`` for one that was not for the actor."""
    wanted = read_id("announcement", shown_id)
    found = announcements_for(actor).filter(id=wanted).first() if wanted else None
    if found is None:
        raise Absent
    return found


def cohorts_to_write_to(actor: Actor) -> QuerySet[Cohort]:
    return Cohort.objects.filter(programme_id=actor.programme, ended_at=None).order_by("name", "id")


@dataclass(frozen=True, slots=True)
class Readers:
    """Whom an announcement would reach now; its author is not counted. ``cohort_id`` None: all."""

    cohort_id: UUID | None
    name: str
    count: int


def possible_readers(actor: Actor) -> list[Readers]:
    """Everybody in the programme, then each cohort."""
    everybody = Membership.objects.filter(programme_id=actor.programme, ended_at=None)
    mine = Q(seats__membership__party_id=actor.party_id)
    counted = cohorts_to_write_to(actor).annotate(
        readers=Count("seats", filter=Q(seats__ended_at=None) & ~mine)
    )
    return [
        Readers(None, "", everybody.exclude(party_id=actor.party_id).count()),
        *(Readers(cohort.id, cohort.name, cohort.readers) for cohort in counted),
    ]


@finder("announcement")
def _announcements(ids: Collection[UUID]) -> dict[UUID, Subject]:
    return {
        one.id: Subject(one.programme_id, one.title, one.words)
        for one in Announcement.objects.filter(id__in=ids)
    }
