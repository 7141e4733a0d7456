from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from core.clock import CoreNow
from core.fields import id_field


class Administrator(models.Model):
    """Somebody who sets programmes up, for this whole installation. They see no clips and move no
    money; ``granted_by`` is None for the first one, made at the machine."""

    id = id_field()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    granted_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_is_an_administrator_once", fields=["party"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="nobody_makes_themselves_an_administrator",
                condition=Q(granted_by=None) | ~Q(granted_by=F("party")),
            ),
        ]
