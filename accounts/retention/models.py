from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class RetentionVersion(models.Model):
    """How long a programme keeps the files of clips, by their state. Published, never edited.

    Days count from the moment a clip came into its state; None keeps it. Before anything goes, its
    owner is warned ``warning_days`` ahead. ``books_years`` is how long the law wants the books.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="retentions")
    number = models.PositiveIntegerField()
    draft_days = models.PositiveIntegerField(null=True)
    unreleased_days = models.PositiveIntegerField(null=True)
    released_days = models.PositiveIntegerField(null=True)
    warning_days = models.PositiveIntegerField(default=14)
    books_years = models.PositiveIntegerField(default=10)
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="retention_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="an_owner_has_a_week_after_the_warning",
                condition=Q(number__gte=1, warning_days__gte=7, books_years__gte=1)
                & (Q(draft_days=None) | Q(draft_days__gte=7))
                & (Q(unreleased_days=None) | Q(unreleased_days__gte=7))
                & (Q(released_days=None) | Q(released_days__gte=7)),
            ),
        ]
