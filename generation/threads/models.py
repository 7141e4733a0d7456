from __future__ import annotations

from django.db import models

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class Thread(models.Model):
    """Clips that belong together: versions of one idea, numbered."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="threads")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="threads")
    made_at = models.DateTimeField(db_default=CoreNow())
