from __future__ import annotations

from django.db import models

from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field


class OutboxMessage(models.Model):
    """What happened, for whoever wants to hear: written in the transaction of the change.

    Append-only; who has read how far stands in ``OutboxCursor``.
    """

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    at = models.DateTimeField(db_default=CoreNow())
    kind = models.CharField(max_length=64)
    party_id = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="outbox_in_commit_order"),
            models.Index(
                fields=["party_id", "xid", "id"],
                name="outbox_of_one_party",
                condition=models.Q(party_id__isnull=False),
            ),
        ]


class OutboxCursor(models.Model):
    """How far one listener has read. Moves in the same transaction as what the listener wrote."""

    listener = models.CharField(max_length=64, primary_key=True)
    xid = XidField()
    message_id = models.UUIDField()
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
