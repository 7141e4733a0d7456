from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class AgreementVersion(models.Model):
    """The terms between a programme and its testers. Published once, never edited."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="agreements")
    number = models.PositiveIntegerField()
    text = models.TextField()
    summary = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="agreement_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="agreement_number_starts_at_one", condition=Q(number__gte=1)
            ),
        ]


class Acceptance(models.Model):
    """An explicit act on one version. Declining later is a new row, not a change of this one."""

    class Act(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"

    id = id_field()
    version = models.ForeignKey(AgreementVersion, on_delete=models.PROTECT, related_name="acts")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="acceptances")
    act = models.CharField(max_length=16, choices=Act)
    credential_id = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="acceptance_act_is_known", condition=Q(act__in=["accepted", "declined"])
            ),
        ]
        indexes = [models.Index(fields=["party", "version", "-at"], name="acts_of_a_party")]
