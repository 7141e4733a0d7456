from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.cohorts.models import Cohort
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class Announcement(models.Model):
    """What the programme's people tell a cohort, or everybody in the programme. Never edited."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="announcements")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField(max_length=120)
    words = models.TextField()
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_announcement_says_something", condition=~Q(title="") & ~Q(words="")
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "-made_at", "-id"], name="announcements_made"),
        ]
