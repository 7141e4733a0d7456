from __future__ import annotations

from typing import Any
from uuid import UUID

from core.audit.models import AuditEvent
from core.trace import request_id


def record(
    kind: str,
    *,
    subject: tuple[str, UUID],
    actor: UUID | None = None,
    credential: UUID | None = None,
    **facts: Any,
) -> None:
    """Write the audit line of a change, inside the caller's transaction.

    ``subject`` is the thing's word (a prefix name of ``core.ids``) and id; ``actor`` a party, None
    where the platform itself acts. ``facts`` are JSON values without personal data.
    """
    thing, subject_id = subject
    AuditEvent.objects.create(
        kind=kind,
        actor_party_id=actor,
        credential_id=credential,
        subject_kind=thing,
        subject_id=subject_id,
        request_id=request_id.get(),
        facts=facts,
    )
