from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
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
    is_open = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True)
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


class Particulars(models.Model):
    """What a programme says about itself: published in versions, never edited. The newest one's
    name and time zone stand on the programme, too; the database puts them there.

    ``submissions_per_day`` and ``cases_per_hour`` (of one reviewer) are what its people expect;
    the check of its promises rests on them. ``credits_per_tester`` is a new tester's own budget.
    Dates are whole days in the programme's time zone, the last one included.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="particulars")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64)
    opens_on = models.DateField(null=True)
    closes_on = models.DateField(null=True)
    languages = ArrayField(models.CharField(max_length=16))
    contact = models.CharField(max_length=254, blank=True)
    credits_per_tester = models.PositiveBigIntegerField()
    submissions_per_day = models.PositiveIntegerField()
    cases_per_hour = models.PositiveIntegerField()
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        verbose_name_plural = "particulars"
        constraints = [
            models.UniqueConstraint(
                name="particulars_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="particulars_make_sense",
                condition=Q(number__gte=1, cases_per_hour__gte=1)
                & ~Q(name="")
                & (Q(opens_on=None) | Q(closes_on=None) | Q(closes_on__gte=F("opens_on"))),
            ),
        ]


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
    """A role held in a programme, until it is ended or its time is up. ``granted_by`` is None
    where it was granted at the machine."""

    id = id_field()
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=16, choices=Role)
    granted_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=CoreNow())
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_role_is_held_once",
                fields=["membership", "role"],
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(name="role_is_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="a_grant_expires_after_it_is_made",
                condition=Q(expires_at=None) | Q(expires_at__gt=F("granted_at")),
            ),
        ]
