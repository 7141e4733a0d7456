from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from core.audit.models import AuditEvent


def events_of(subject_id: UUID) -> QuerySet[AuditEvent]:
    """What happened to one thing, the oldest first. The caller has shown that it may be seen."""
    return AuditEvent.objects.filter(subject_id=subject_id).order_by("at", "xid", "id")
