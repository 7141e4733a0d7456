from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from core.clock import CoreNow
from core.fields import id_field


class Programme(models.Model):
    """One early-access programme: its people, its terms, its budgets."""

    id = id_field()
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")
    currency = models.CharField(max_length=3, default="EUR")
    is_open = models.BooleanField(default=True)
    is_demonstration = models.BooleanField(default=False)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="programme_currency_is_a_code", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A party in a programme. Leaving ends it; the row stays, since work points to its time."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="memberships")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="memberships")
    joined_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_membership_at_a_time",
                fields=["programme", "party"],
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="membership_ends_after_it_began",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("joined_at")),
            ),
        ]


class Role(models.TextChoices):
    TESTER = "tester"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    FINANCE = "finance"
    AUDITOR = "auditor"


class RoleGrant(models.Model):
    """A role held in a programme, until it is ended."""

    id = id_field()
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=16, choices=Role)
    granted_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_role_is_held_once",
                fields=["membership", "role"],
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(name="role_is_known", condition=Q(role__in=Role.values)),
        ]
