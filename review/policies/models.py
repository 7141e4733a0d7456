"""What a clip is judged by, and how long that may take. Published once, never edited."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field
from generation.clips.rules import Allows
from review.policies.rules import Ground


class PolicyVersion(models.Model):
    """One version of a programme's clauses. They come in its own transaction and no later one."""

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    introduction = models.TextField()
    # Which files of a clip its owner gets before it is approved.
    files_before = models.CharField(max_length=8, choices=Allows, default=Allows.CLIP)
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="policy_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(name="policy_number_starts_at_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="a_policy_says_which_files", condition=Q(files_before__in=Allows.values)
            ),
        ]


class Clause(models.Model):
    """One ground for declining, in the programme's words and with its number."""

    id = id_field()
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="clauses")
    number = models.PositiveIntegerField()
    ground = models.CharField(max_length=24, choices=Ground)
    title = models.CharField(max_length=120)
    words = models.TextField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                name="clauses_of_a_policy_are_numbered", fields=["policy", "number"]
            ),
            models.CheckConstraint(name="ground_is_known", condition=Q(ground__in=Ground.values)),
        ]


class CharterVersion(models.Model):
    """What the programme promises about time: hours count round the clock, days are 24 hours."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="charters")
    number = models.PositiveIntegerField()
    decide_within_hours = models.PositiveIntegerField()
    appeal_within_hours = models.PositiveIntegerField()
    appeal_open_days = models.PositiveIntegerField()
    words = models.TextField(blank=True)
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="charter_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="a_charter_promises_something",
                condition=Q(
                    number__gte=1,
                    decide_within_hours__gte=1,
                    appeal_within_hours__gte=1,
                    appeal_open_days__gte=1,
                ),
            ),
        ]
