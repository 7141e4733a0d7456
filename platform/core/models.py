"""Table of contents: Django looks for models here."""

from core.audit.models import AuditEvent
from core.idempotency.models import KeptAnswer
from core.outbox.models import OutboxCursor, OutboxMessage
from core.seal.models import SigningKey

__all__ = ["AuditEvent", "KeptAnswer", "OutboxCursor", "OutboxMessage", "SigningKey"]
