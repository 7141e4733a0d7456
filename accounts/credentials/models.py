"""Credentials: API tokens and portal sessions alike. Rows are never deleted."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from core.ids import new_id


class Credential(models.Model):
    """What somebody acts with. Its key id may be logged and shown; its secret is nowhere.

    ``expired`` is an ending without suspicion (signed out, replaced, time up): queued work goes
    on. ``revoked`` and ``quarantined`` stop it.
    """

    class Kind(models.TextChoices):
        TOKEN = "token"  # noqa: S105
        SESSION = "session"

    class State(models.TextChoices):
        ACTIVE = "active"
        RETIRING = "retiring"
        QUARANTINED = "quarantined"
        REVOKED = "revoked"
        EXPIRED = "expired"

    id = id_field()
    kind = models.CharField(max_length=8, choices=Kind)
    key_id = models.CharField(max_length=12, unique=True)
    lineage_id = models.UUIDField(default=new_id, db_index=True)
    generation = models.PositiveIntegerField(default=1)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="credentials")
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, null=True, related_name="credentials"
    )
    name = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    digest = models.BinaryField(null=True)
    pepper_id = models.CharField(max_length=16, blank=True)
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    minted_auth_method = models.CharField(max_length=16)
    minted_at = models.DateTimeField(db_default=CoreNow())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_generation_of_a_lineage", fields=["lineage_id", "generation"]
            ),
            models.UniqueConstraint(
                name="one_active_credential_per_lineage",
                fields=["lineage_id"],
                condition=Q(state="active"),
            ),
            models.CheckConstraint(
                name="credential_kind_is_known", condition=Q(kind__in=["token", "session"])
            ),
            models.CheckConstraint(
                name="a_token_has_digest_and_programme",
                condition=Q(kind="session")
                | Q(digest__isnull=False, programme__isnull=False) & ~Q(pepper_id=""),
            ),
            # Ninety days at most stands in the migration: Django cannot write an interval here.
            models.CheckConstraint(
                name="credential_expires_after_it_is_minted",
                condition=Q(expires_at__gt=F("minted_at")),
            ),
            models.CheckConstraint(
                name="credential_ended_iff_it_has_an_end",
                condition=Q(state__in=["active", "retiring", "quarantined"], ended_at=None)
                | Q(state__in=["revoked", "expired"], ended_at__isnull=False),
            ),
        ]


class PortalSession(AbstractBaseSession):
    """A browser's session. The key column holds the SHA-256 of the cookie, not the cookie."""

    session_key = models.CharField(max_length=64, primary_key=True)
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="sessions"
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # By its name: the store imports this module.
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
