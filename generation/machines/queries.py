from __future__ import annotations

from django.db.models import QuerySet

from generation.machines.models import WorkerCredential


def worker_credentials() -> QuerySet[WorkerCredential]:
    """Every one there ever was, by machine, the newest of each first."""
    return WorkerCredential.objects.order_by("machine", "-made_at")
