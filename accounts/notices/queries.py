from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.notices.models import Notice


def unread_notices(party_id: UUID) -> QuerySet[Notice]:
    return Notice.objects.filter(party_id=party_id, read_at=None).order_by("-at", "-id")
