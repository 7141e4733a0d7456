from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.erasures.models import Erasure
from accounts.erasures.rules import digest_of
from core.errors import Absent


def erasure_by_secret(secret: str) -> Erasure:
    """Whoever has the receipt's link may read it. Raises ``Absent`` for what was never one."""
    digest = digest_of(secret)
    found = Erasure.objects.filter(digest=digest).first() if digest else None
    if found is None:
        raise Absent
    return found


def erasures_waiting() -> QuerySet[Erasure]:
    """Those not done yet, the oldest first."""
    return Erasure.objects.filter(done_at=None).order_by("asked_at", "id")


def parties_erased() -> QuerySet[Erasure, UUID]:
    """Of whom there is to be nothing left, or was asked to be."""
    return Erasure.objects.values_list("party_id", flat=True)


def is_being_erased(party_id: UUID) -> bool:
    return Erasure.objects.filter(party_id=party_id).exists()
