from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.consents.rules import Purpose
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class ConsentVersion(models.Model):
    """What a programme asks for under one purpose, in its own words. Published, never edited.

    ``is_asked`` false: the programme does not ask for it, and nobody can grant it.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose)
    number = models.PositiveIntegerField()
    is_asked = models.BooleanField()
    words = models.TextField()
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="consent_versions_are_numbered", fields=["programme", "purpose", "number"]
            ),
            models.CheckConstraint(
                name="consent_purpose_is_known",
                condition=Q(purpose__in=Purpose.values, number__gte=1),
            ),
        ]


class ConsentAct(models.Model):
    """Somebody said yes or took it back: for the whole programme, or for one clip of theirs.

    The last act for a clip counts for that clip, else the last one for the programme; without any
    the answer is no. ``version`` is what they had read.
    """

    class Deed(models.TextChoices):
        GRANTED = "granted"
        REVOKED = "revoked"

    id = id_field()
    version = models.ForeignKey(ConsentVersion, on_delete=models.PROTECT, related_name="acts")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="consent_acts")
    clip_id = models.UUIDField(null=True)
    deed = models.CharField(max_length=8, choices=Deed)
    credential_id = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_consent_is_granted_or_revoked", condition=Q(deed__in=["granted", "revoked"])
            ),
        ]
        indexes = [
            models.Index(
                fields=["programme", "party", "purpose", "clip_id", "-at"], name="consent_last_act"
            ),
        ]
