from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.programmes.models import Membership, Programme, Role, RoleGrant
from core.audit.commands import record


def open_programme(*, slug: str, name: str, is_demonstration: bool = False) -> Programme:
    with transaction.atomic():
        programme = Programme.objects.create(
            slug=slug, name=name, is_demonstration=is_demonstration
        )
        record("programme.opened", subject=("programme", programme.id))
    return programme


def add_member(
    *, programme_id: UUID, party_id: UUID, roles: list[Role], granted_by: UUID | None = None
) -> Membership:
    with transaction.atomic():
        membership = Membership.objects.create(programme_id=programme_id, party_id=party_id)
        RoleGrant.objects.bulk_create(
            [
                RoleGrant(membership=membership, role=role, granted_by_id=granted_by)
                for role in roles
            ]
        )
        record(
            "member.added",
            subject=("programme", programme_id),
            actor=granted_by,
            party=str(party_id),
            roles=[role.value for role in roles],
        )
    return membership
