from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.programmes.models import Membership, Programme, RoleGrant


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


def membership_of(programme_id: UUID, party_id: UUID) -> Membership | None:
    """The live membership, with its programme."""
    return (
        Membership.objects.select_related("programme")
        .filter(programme_id=programme_id, party_id=party_id, ended_at=None)
        .first()
    )
