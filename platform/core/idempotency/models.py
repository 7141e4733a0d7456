from __future__ import annotations

from django.db import models

from core.clock import CoreNow


class KeptAnswer(models.Model):
    """The first answer to a request that carried an ``Idempotency-Key``, kept for 30 days.

    ``scope`` is party, programme and route, not the token: rotating a token in the middle of a
    retry must not double a job.
    """

    pk = models.CompositePrimaryKey("scope", "key")
    scope = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    payload_sha256 = models.BinaryField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="kept_answer_key_is_printable",
                condition=models.Q(key__regex=r"^[\x21-\x7e]{1,255}$"),
            ),
        ]
        indexes = [models.Index(fields=["at"], name="kept_answers_by_age")]
