from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from accounts.rates.rules import ActKind
from core.clock import CoreNow
from core.fields import id_field


class Rate(models.Model):
    """What one act of a kind earns from a moment on, in micro-units of the programme's currency.

    Published before it applies, never edited. The rate in force is the one that began to apply
    last, so that rates cannot overlap and a new one changes nothing that was earned before.
    Those of a kind are numbered in the order they were published in. One that is published for now
    begins after whatever its publisher waited for, and ``published_at`` is that moment.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="rates")
    kind = models.CharField(max_length=24, choices=ActKind)
    number = models.PositiveIntegerField()
    amount_micro = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    words = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())
    applies_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_rate_begins_at_a_time", fields=["programme", "kind", "applies_from"]
            ),
            models.UniqueConstraint(
                name="rates_are_numbered", fields=["programme", "kind", "number"]
            ),
            models.CheckConstraint(name="rate_number_starts_at_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="rate_is_of_a_known_kind", condition=Q(kind__in=ActKind.values)
            ),
            models.CheckConstraint(
                name="a_rate_takes_nothing_away", condition=Q(amount_micro__gte=0)
            ),
            models.CheckConstraint(
                name="a_rate_is_published_before_it_applies",
                condition=Q(published_at__lte=F("applies_from")),
            ),
        ]
