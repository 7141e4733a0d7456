from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from core.audit.models import AuditEvent


def events_of(subject_id: UUID) -> QuerySet[AuditEvent]:
    """What happened to one thing, the oldest first. The caller has shown that it may be seen."""
    return AuditEvent.objects.filter(subject_id=subject_id).order_by("at", "xid", "id")


def events_of_all(subject_ids: Iterable[UUID]) -> QuerySet[AuditEvent]:
    """What happened to several things that belong together, the oldest first. One query."""
    return AuditEvent.objects.filter(subject_id__in=list(subject_ids)).order_by("at", "xid", "id")
