from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.people.models import Party
from accounts.programmes.models import Membership, Programme
from core.clock import CoreNow
from core.fields import id_field


class Cohort(models.Model):
    """A named group of members, to invite and to write to together. It gives no right."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=80)
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                F("programme"),
                Lower("name"),
                name="one_cohort_of_a_name",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(name="a_cohort_has_a_name", condition=~Q(name="")),
        ]


class CohortSeat(models.Model):
    """A member in a cohort, until it is ended. The end of the cohort and the end of the membership
    end it too."""

    id = id_field()
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="seats")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="seats")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_seat_at_a_time_in_a_cohort",
                fields=["cohort", "membership"],
                condition=Q(ended_at=None),
            ),
        ]
