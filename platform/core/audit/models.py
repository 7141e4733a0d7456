from __future__ import annotations

from django.db import models

from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field


class AuditEvent(models.Model):
    """Who did what to which thing: one append-only row in the transaction of the change.

    Holds ids, never names or addresses. ``xid`` lets a later sealer read without missing rows.
    """

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    at = models.DateTimeField(db_default=CoreNow())
    kind = models.CharField(max_length=64)
    actor_party_id = models.UUIDField(null=True)
    credential_id = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    request_id = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audit_kind_is_noun_dot_past_tense",
                condition=models.Q(kind__regex=r"^[a-z_]+\.[a-z_]+$"),
            ),
        ]
        indexes = [
            models.Index(fields=["subject_id", "at"], name="audit_of_one_subject"),
            models.Index(fields=["xid", "id"], name="audit_in_commit_order"),
        ]
