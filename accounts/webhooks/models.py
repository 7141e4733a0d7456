from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from accounts.webhooks.rules import (
    ENDPOINTS_PER_PARTY,
    KEPT_OF_ANSWER,
    LONGEST_NAME,
    LONGEST_URL,
    EndpointState,
    State,
    Why,
)
from core.clock import CoreNow
from core.fields import id_field


class NextDeliveryNumber(models.Func):
    template = "nextval('accounts_webhook_number')"
    output_field = models.BigIntegerField()


class WebhookEndpoint(models.Model):
    """An address of a member's own that is told what happens to what is theirs in a programme.

    ``slot`` counts to ten: no party has more. ``credential`` made or last changed it: where that is
    revoked, the endpoint goes off with it. ``failures`` in a row, since ``failing_since``, let it
    rest until ``rests_until``.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="webhooks")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="webhooks")
    slot = models.PositiveSmallIntegerField()
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    url = models.CharField(max_length=LONGEST_URL)
    event_types = ArrayField(models.CharField(max_length=64))
    state = models.CharField(max_length=8, choices=EndpointState, default=EndpointState.ENABLED)
    disabled_reason = models.CharField(max_length=24, choices=Why, blank=True)
    made_at = models.DateTimeField(db_default=CoreNow())
    changed_at = models.DateTimeField(db_default=CoreNow())
    tried_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_webhook_in_a_slot", fields=["party", "programme", "slot"]
            ),
            models.CheckConstraint(
                name="a_party_has_ten_webhooks_at_most",
                condition=Q(slot__gte=1, slot__lte=ENDPOINTS_PER_PARTY),
            ),
            models.CheckConstraint(
                name="a_webhook_says_why_iff_it_is_off",
                condition=Q(state="enabled", disabled_reason="")
                | Q(state="disabled", disabled_reason__in=Why.values),
            ),
            models.CheckConstraint(
                name="a_webhook_address_is_http",
                condition=Q(url__regex=r"^https?://[^\s@]+$"),
            ),
            models.CheckConstraint(
                name="a_webhook_hears_of_something", condition=Q(event_types__len__gte=1)
            ),
            models.CheckConstraint(
                name="a_webhook_fails_since_iff_it_fails",
                condition=Q(failures=0, failing_since=None)
                | Q(failures__gte=1, failing_since__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tried_at", "id"], name="webhooks_in_turn", condition=Q(state="enabled")
            ),
        ]


class WebhookSecret(models.Model):
    """What an endpoint's events are signed with, sealed under a pepper. The one without ``until``
    is in force; the others count for a day after a rotation."""

    id = id_field()
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.DO_NOTHING, db_constraint=False, related_name="secrets"
    )
    sealed = models.TextField()
    hint = models.CharField(max_length=16)
    made_at = models.DateTimeField(db_default=CoreNow())
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_secret_of_a_webhook_in_force",
                fields=["endpoint"],
                condition=Q(until=None),
            ),
            models.CheckConstraint(
                name="a_webhook_secret_is_sealed", condition=~Q(sealed__contains="whsec_")
            ),
        ]


class WebhookDelivery(models.Model):
    """One event for one endpoint: what is sent never changes, however often it is tried.

    ``number`` is the order in which the events were committed. ``attempts`` only grows, and tells
    claims apart: whoever is late writes nothing about somebody else's. ``tries`` begins anew when
    it is sent again. ``message_id`` is the outbox message's; a test has one of its own.
    """

    id = id_field()
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
    )
    number = models.BigIntegerField(unique=True, editable=False, db_default=NextDeliveryNumber())
    message_id = models.UUIDField()
    event_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    is_test = models.BooleanField(default=False)
    body = models.TextField()
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(db_default=CoreNow())
    due_at = models.DateTimeField(db_default=CoreNow())
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_delivery_of_an_event_to_a_webhook", fields=["endpoint", "message_id"]
            ),
            models.CheckConstraint(
                name="a_delivery_ends_iff_it_waits_no_more",
                condition=Q(state="waiting", ended_at=None)
                | Q(state__in=["delivered", "failed", "dropped"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="only_a_waiting_delivery_is_leased",
                condition=Q(lease_until=None) | Q(state="waiting"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "number"],
                name="webhook_deliveries_due",
                condition=Q(state="waiting"),
            ),
            models.Index(
                fields=["endpoint", "subject_id", "number"],
                name="webhook_deliveries_in_order",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["endpoint", "-number"], name="webhook_log"),
            models.Index(fields=["made_at"], name="webhook_log_by_age"),
        ]


class WebhookAttempt(models.Model):
    """One try, and what came of it. ``status`` is empty where nobody answered; ``answer`` is how
    the answer's body begins."""

    id = id_field()
    delivery = models.ForeignKey(
        WebhookDelivery,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="attempts_made",
    )
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=CoreNow())
    took_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=48, blank=True)
    answer = models.CharField(max_length=KEPT_OF_ANSWER, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="webhook_attempts_are_numbered", fields=["delivery", "number"]
            )
        ]
