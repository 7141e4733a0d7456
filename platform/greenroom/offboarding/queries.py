"""What leaving would end, told before anybody presses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from accounts.credentials.models import Credential
from accounts.programmes.models import Membership
from generation.jobs.models import Job
from generation.jobs.rules import LIVE, State
from review.submissions.models import Case
from review.submissions.rules import State as CaseState


@dataclass(frozen=True, slots=True)
class UnderWay:
    """How many of each there are now. ``programmes`` are the person's others."""

    waiting_jobs: int
    running_jobs: int
    tokens: int
    sessions: int
    cases: int
    programmes: int


def under_way(programme_id: UUID, party_id: UUID) -> UnderWay:
    jobs = Job.objects.filter(programme_id=programme_id, party_id=party_id, state__in=LIVE)
    states = list(jobs.values_list("state", flat=True))
    live = Credential.objects.filter(
        party_id=party_id, state__in=(Credential.State.ACTIVE, Credential.State.RETIRING)
    )
    kinds = live.filter(Q(programme_id=programme_id) | Q(kind=Credential.Kind.SESSION))
    held = list(kinds.values_list("kind", flat=True))
    return UnderWay(
        waiting_jobs=len(states) - states.count(State.RUNNING),
        running_jobs=states.count(State.RUNNING),
        tokens=held.count(Credential.Kind.TOKEN),
        sessions=held.count(Credential.Kind.SESSION),
        cases=Case.objects.filter(
            programme_id=programme_id, state=CaseState.CLAIMED, lease_by_id=party_id
        ).count(),
        programmes=Membership.objects.filter(party_id=party_id, ended_at=None)
        .exclude(programme_id=programme_id)
        .count(),
    )


def live_memberships(
    party_id: UUID, programme_ids: Iterable[UUID] | None = None
) -> list[Membership]:
    """By programme, which is the order in which they are locked."""
    found = Membership.objects.filter(party_id=party_id, ended_at=None)
    if programme_ids is not None:
        found = found.filter(programme_id__in=list(programme_ids))
    return list(found.order_by("programme_id"))
