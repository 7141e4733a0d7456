from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.clock import CoreNow
from core.fields import id_field


class WorkerCredential(models.Model):
    """With which the workers of one machine send and fetch their files. Its secret is nowhere.

    ``machine`` is that of its devices. It opens nothing but the files of attempts that are under
    way there, and counts until it is revoked.
    """

    id = id_field()
    machine = models.CharField(max_length=64)
    key_id = models.CharField(max_length=12, unique=True)
    digest = models.BinaryField()
    pepper_id = models.CharField(max_length=16)
    made_at = models.DateTimeField(db_default=CoreNow())
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_worker_credential_names_its_machine",
                condition=Q(machine__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$"),
            ),
            # That a digest is 32 bytes stands in the migration: Django has no word for it.
            models.CheckConstraint(
                name="a_worker_credential_has_a_key_and_a_pepper",
                condition=Q(key_id__regex=r"^[0-9A-Za-z]{12}$") & ~Q(pepper_id=""),
            ),
            models.CheckConstraint(
                name="a_worker_credential_is_revoked_after_it_is_made",
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("made_at")),
            ),
        ]
