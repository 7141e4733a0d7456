from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class DeviceLogin(models.Model):
    """A program somewhere asks for a token, and a person with the user code allows it or not.

    Of both codes only digests are kept. ``scopes`` and ``days`` are what was asked; what was
    allowed is no more than that. Allowing makes no token: that is made when the program asks for
    it, so that its secret goes out in that one answer and is kept nowhere. The whole row is
    deleted once its ten minutes are over; what remains is the token's own record.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        ALLOWED = "allowed"
        DENIED = "denied"
        TAKEN = "taken"

    id = id_field()
    device_digest = models.BinaryField(unique=True)
    user_digest = models.BinaryField()
    client_name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=32))
    days = models.PositiveSmallIntegerField()
    asked_from = models.GenericIPAddressField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(db_default=CoreNow())
    expires_at = models.DateTimeField()
    interval_s = models.PositiveSmallIntegerField()
    polled_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, related_name="+")
    allowed_scopes = ArrayField(models.CharField(max_length=32), default=list)
    allowed_days = models.PositiveSmallIntegerField(null=True)
    allowed_with = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="+"
    )
    auth_method = models.CharField(max_length=16, blank=True)
    token = models.OneToOneField(Credential, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_waiting_device_login_of_a_user_code",
                fields=["user_digest"],
                condition=Q(state="waiting"),
            ),
            models.CheckConstraint(
                name="a_device_login_asks_for_something",
                condition=Q(scopes__len__gte=1) & Q(days__gte=1, days__lte=90) & ~Q(client_name=""),
            ),
            # And there are no other states.
            models.CheckConstraint(
                name="a_device_login_is_allowed_whole",
                condition=Q(
                    state__in=["waiting", "denied"],
                    programme=None,
                    allowed_scopes=[],
                    allowed_days=None,
                    allowed_with=None,
                    auth_method="",
                    token=None,
                )
                | (
                    Q(
                        programme__isnull=False,
                        allowed_scopes__len__gte=1,
                        allowed_days__gte=1,
                        allowed_with__isnull=False,
                    )
                    & ~Q(auth_method="")
                    & (Q(state="allowed", token=None) | Q(state="taken", token__isnull=False))
                ),
            ),
            models.CheckConstraint(
                name="no_more_is_allowed_than_was_asked",
                condition=Q(allowed_scopes__contained_by=F("scopes"))
                & (Q(allowed_days=None) | Q(allowed_days__lte=F("days"))),
            ),
        ]


class DeviceLoginTry(models.Model):
    """Somebody typed a user code, right or wrong: counted, so that none is guessed."""

    id = id_field()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        indexes = [models.Index(name="tries_of_a_party", fields=["party", "at"])]
