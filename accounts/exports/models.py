from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from core.clock import CoreNow
from core.fields import id_field


class Export(models.Model):
    """Everything of one party in one archive, for that party alone. ``storage_key`` is a path
    below the media folder; when it ends, the file is deleted and the row stays."""

    class State(models.TextChoices):
        ASKED = "asked"
        READY = "ready"
        FAILED = "failed"
        ENDED = "ended"

    id = id_field()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField(db_default=CoreNow())
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    storage_key = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_export_at_a_time", fields=["party"], condition=Q(state="asked")
            ),
            models.CheckConstraint(
                name="a_ready_export_is_a_file_that_ends",
                condition=Q(state__in=["asked", "failed"], ready_at=None)
                | Q(
                    state__in=["ready", "ended"],
                    ready_at__isnull=False,
                    expires_at__gt=models.F("ready_at"),
                    bytes__gt=0,
                    sha256__regex=r"^[0-9a-f]{64}$",
                ),
            ),
        ]
