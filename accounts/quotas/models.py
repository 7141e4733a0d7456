"""Budgets and what is reserved of them. The sums on a budget are kept by two SQL functions only."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class Kind(models.TextChoices):
    CREDITS = "credits"
    MONEY = "money"


class Budget(models.Model):
    """One row of a programme's tree: the programme, a party in it, or one credential lineage.

    A reservation must fit into every row on its path. Credits are whole credits, money is
    micro-units of the programme's currency.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="budgets")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="budgets")
    lineage_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=8, choices=Kind)
    limit = models.BigIntegerField()
    reserved = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="budget_never_exceeds_its_limit",
                condition=Q(reserved__gte=0, spent__gte=0)
                & Q(limit__gte=F("reserved") + F("spent")),
            ),
            models.CheckConstraint(name="budget_kind_is_known", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="a_lineage_budget_belongs_to_a_party",
                condition=Q(lineage_id=None) | Q(party__isnull=False),
            ),
            models.UniqueConstraint(
                name="one_budget_per_place_and_kind",
                fields=["programme", "kind", "party", "lineage_id"],
                nulls_distinct=False,
            ),
        ]

    @property
    def left(self) -> int:
        return self.limit - self.reserved - self.spent


class Reservation(models.Model):
    """An amount held for one piece of work, then settled or released exactly once.

    ``work_id`` is the id of what it is for (a job); one reservation of a kind per piece of work.
    """

    class State(models.TextChoices):
        HELD = "held"
        SETTLED = "settled"
        RELEASED = "released"

    id = id_field()
    work_id = models.UUIDField()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="reservations")
    kind = models.CharField(max_length=8, choices=Kind)
    amount = models.BigIntegerField()
    settled = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.HELD)
    path = ArrayField(models.UUIDField())
    made_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_reservation_per_work_and_kind", fields=["work_id", "kind"]
            ),
            models.CheckConstraint(
                name="reservation_kind_is_known", condition=Q(kind__in=Kind.values)
            ),
            models.CheckConstraint(name="a_reservation_holds_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="settled_at_most_what_was_held",
                condition=Q(state="held", settled=None, ended_at=None)
                | Q(
                    state="settled", settled__gt=0, settled__lte=F("amount"), ended_at__isnull=False
                )
                | Q(state="released", settled=0, ended_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["party", "made_at"], name="reservations_of_a_party"),
        ]
