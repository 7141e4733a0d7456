from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.cohorts.models import Cohort, CohortSeat
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.errors import Absent
from core.ids import read_id


def cohorts_of(actor: Actor) -> QuerySet[Cohort]:
    """Those of the actor's programme that are there, by name; ``members`` is how many each has."""
    actor.must_act(Scope.PEOPLE_READ)
    return cohorts_in(actor.programme)


def cohorts_in(programme_id: UUID) -> QuerySet[Cohort]:
    return (
        Cohort.objects.filter(programme_id=programme_id, ended_at=None)
        .annotate(members=Count("seats", filter=Q(seats__ended_at=None)))
        .order_by("name", "id")
    )


def cohort_for(actor: Actor, shown_id: str) -> Cohort:
    """Raises ``Absent`` for one of another programme, or that is over."""
    cohort_id = read_id("cohort", shown_id)
    found = cohorts_of(actor).filter(id=cohort_id).first() if cohort_id else None
    if found is None:
        raise Absent
    return found


def cohorts_by_member(membership_ids: Iterable[UUID]) -> dict[UUID, list[Cohort]]:
    """The cohorts in which each of these memberships has a seat now. One query."""
    found: dict[UUID, list[Cohort]] = {}
    seats = CohortSeat.objects.filter(membership_id__in=list(membership_ids), ended_at=None)
    for seat in seats.select_related("cohort").order_by("cohort__name", "id"):
        found.setdefault(seat.membership_id, []).append(seat.cohort)
    return found


def parties_in_cohort(cohort_id: UUID) -> QuerySet[CohortSeat, UUID]:
    """The ids of everybody who has a seat in it now."""
    return CohortSeat.objects.filter(cohort_id=cohort_id, ended_at=None).values_list(
        "membership__party_id", flat=True
    )
