from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from core.clock import CoreNow
from core.fields import id_field


class Erasure(models.Model):
    """A person asked to be erased. What is kept, why and until when stands in ``kept``: ids,
    kinds and dates, nothing about who it was.

    Its link (``digest`` is the SHA-256 of its secret) shows how it stands, since whoever is erased
    cannot sign in any more. ``waits_for`` says why it is not done yet.
    """

    id = id_field()
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(unique=True)
    asked_at = models.DateTimeField(db_default=CoreNow())
    waits_for = models.CharField(max_length=32, blank=True)
    done_at = models.DateTimeField(null=True)
    kept = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_done_erasure_waits_for_nothing", condition=Q(done_at=None) | Q(waits_for="")
            ),
        ]
