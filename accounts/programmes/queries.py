from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.programmes.models import Membership, Programme, Role, RoleGrant
from core.errors import Absent


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
            membership__programme_id=programme_id,
            membership__party_id=party_id,
            membership__ended_at=None,
            ended_at=None,
        ).values_list("role", flat=True)
    )


def parties_with_role(programme_id: UUID, role: Role) -> QuerySet[RoleGrant, UUID]:
    """The ids of everybody who holds the role now."""
    return RoleGrant.objects.filter(
        membership__programme_id=programme_id,
        membership__ended_at=None,
        role=role,
        ended_at=None,
    ).values_list("membership__party_id", flat=True)


def membership_of(programme_id: UUID, party_id: UUID) -> Membership | None:
    """The live membership, with its programme."""
    return (
        Membership.objects.select_related("programme")
        .filter(programme_id=programme_id, party_id=party_id, ended_at=None)
        .first()
    )
