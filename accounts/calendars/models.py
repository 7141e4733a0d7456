from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field

DAYS = 7


class CalendarVersion(models.Model):
    """When a programme's people work, in the programme's time zone. Published once, never edited.

    ``week`` holds seven texts, Monday first, each like ``09:00-17:30`` or empty for a day off;
    ``holidays`` are days off besides.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="calendars")
    number = models.PositiveIntegerField()
    week = ArrayField(models.CharField(max_length=11, blank=True), size=DAYS)
    holidays = ArrayField(models.DateField(), default=list)
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="calendar_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="calendar_number_starts_at_one", condition=Q(number__gte=1)
            ),
        ]
