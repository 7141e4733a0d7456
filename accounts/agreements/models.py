from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class AgreementVersion(models.Model):
    """The terms between a programme and its testers. Published once, never edited.

    ``changes`` says in plain words what is new. Until somebody answers, the version they accepted
    before governs; after ``answer_by``, where it is set, no new work begins without an answer.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="agreements")
    number = models.PositiveIntegerField()
    text = models.TextField()
    summary = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    changes = models.TextField(blank=True)
    answer_by = models.DateTimeField(null=True)
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="agreement_versions_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="agreement_number_starts_at_one", condition=Q(number__gte=1)
            ),
            models.CheckConstraint(
                name="an_answer_is_asked_for_later",
                condition=Q(answer_by=None) | Q(answer_by__gt=F("published_at")),
            ),
        ]


class AgreementView(models.Model):
    """Somebody had a version on their screen: the first time alone is kept."""

    id = id_field()
    version = models.ForeignKey(AgreementVersion, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_first_view_is_kept_once", fields=["version", "party"]),
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
