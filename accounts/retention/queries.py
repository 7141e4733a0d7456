from __future__ import annotations

from uuid import UUID

from accounts.retention.models import RetentionVersion


def retention_in_force(programme_id: UUID) -> RetentionVersion | None:
    """The newest version of the programme."""
    return RetentionVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
