from __future__ import annotations

from django.db import models

from accounts.people.models import Party
from core.clock import CoreNow


class Notice(models.Model):
    """One thing worth telling a party. Its id is the outbox message's, or made of that and the
    party where several hear it, so it cannot double. ``mail`` is the one it went out with."""

    id = models.UUIDField(primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=CoreNow())
    read_at = models.DateTimeField(null=True)
    mail = models.ForeignKey(
        "accounts.Mail", on_delete=models.PROTECT, null=True, related_name="notices"
    )

    class Meta:
        indexes = [
            models.Index(fields=["party", "-at", "-id"], name="notices_of_a_party"),
            models.Index(fields=["mail"], name="notices_in_a_mail"),
            models.Index(
                fields=["party", "-at"],
                name="unread_notices",
                condition=models.Q(read_at=None),
            ),
        ]
