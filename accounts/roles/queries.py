"""The people of a programme, as those see them who look after them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Greatest

from accounts.credentials.models import Credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.people.models import Party
from accounts.programmes.models import Membership, Role, RoleGrant
from accounts.programmes.queries import LIVE_GRANT, parties_with_role
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id

MEMBER_ORDER = ("-joined_at", "-id")


def members_of(
    actor: Actor, *, name: str = "", role: str = "", cohort_id: UUID | None = None
) -> QuerySet[Membership]:
    """Who is in the actor's programme now, the newest first, with roles, cohorts and person.

    ``name`` is any part of a name or an address; an erased person is found by neither.
    """
    found = _members(actor).filter(ended_at=None)
    if name:
        found = found.filter(
            Q(party__person__email__icontains=name)
            | Q(party__person__detail__display_name__icontains=name)
        )
    if role:
        held = RoleGrant.objects.filter(LIVE_GRANT, membership=OuterRef("pk"), role=role)
        found = found.filter(Exists(held))
    if cohort_id is not None:
        found = found.filter(seats__cohort_id=cohort_id, seats__ended_at=None)
    return found.order_by(*MEMBER_ORDER)


def member_for(actor: Actor, shown_id: str) -> Membership:
    """Somebody who is in the programme now. Raises ``Absent`` for everybody else."""
    party_id = read_id("party", shown_id)
    found = _members(actor).filter(party_id=party_id, ended_at=None).first() if party_id else None
    if found is None:
        raise Absent
    return found


def live_grants(membership: Membership) -> list[RoleGrant]:
    """What ``members_of`` and ``member_for`` brought along, without a query."""
    grants: list[RoleGrant] = membership.live_grants  # type: ignore[attr-defined]
    return grants


def last_seen(party_ids: list[UUID]) -> dict[UUID, datetime]:
    """The newest of each one's sign-ins and uses of a token; left out who never came. One query."""
    begun = Max("credentials__minted_at", filter=Q(credentials__kind=Credential.Kind.SESSION))
    rows = Party.objects.filter(id__in=party_ids).annotate(
        # PostgreSQL's GREATEST passes over what is null.
        at=Greatest(Max("credentials__last_used_at"), begun, "person__last_login")
    )
    return dict(rows.filter(at__isnull=False).values_list("id", "at"))


def other_managers(programme_id: UUID, party_id: UUID) -> bool:
    """Whether anybody else is a manager of the programme now."""
    return (
        parties_with_role(programme_id, Role.MANAGER)
        .exclude(membership__party_id=party_id)
        .exists()
    )


def grants_run_out() -> QuerySet[RoleGrant]:
    """Grants whose time is up and whose end nobody has written yet, the oldest first."""
    return (
        RoleGrant.objects.select_related("membership")
        .filter(ended_at=None, expires_at__lte=CoreNow())
        .order_by("expires_at", "id")
    )


def _members(actor: Actor) -> QuerySet[Membership]:
    actor.must_act(Scope.PEOPLE_READ)
    live = RoleGrant.objects.filter(LIVE_GRANT).order_by("granted_at", "id")
    return (
        Membership.objects.filter(programme_id=actor.programme)
        .select_related("party__person__detail")
        .prefetch_related(Prefetch("grants", queryset=live, to_attr="live_grants"))
    )
