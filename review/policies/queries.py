from __future__ import annotations

from uuid import UUID

from review.policies.models import CharterVersion, PolicyVersion


def policy_in_force(programme_id: UUID) -> PolicyVersion | None:
    """The newest version of the programme, with its clauses."""
    return (
        PolicyVersion.objects.filter(programme_id=programme_id)
        .prefetch_related("clauses")
        .order_by("-number")
        .first()
    )


def charter_in_force(programme_id: UUID) -> CharterVersion | None:
    """The newest version of the programme."""
    return CharterVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
