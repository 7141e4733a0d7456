"""Webhooks of somebody's own, what was sent to them, and whose an event is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from accounts.credentials.models import Credential
from accounts.credentials.peppers import unseal
from accounts.credentials.queries import Actor
from accounts.notices.queries import FINDERS, Subject, finder
from accounts.webhooks.addresses import Allowed
from accounts.webhooks.events import TYPES, event_type
from accounts.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from accounts.webhooks.rules import State
from core.errors import Absent
from core.ids import read_id
from core.outbox.models import OutboxMessage

SEALED_FOR = b"webhook secret"


def allowed_networks() -> Allowed:
    return Allowed(networks=settings.WEBHOOK_NETWORKS, loopback=settings.WEBHOOK_LOOPBACK)


def endpoints_of(actor: Actor) -> QuerySet[WebhookEndpoint]:
    """The actor's own in this programme, the newest first."""
    mine = WebhookEndpoint.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    return mine.prefetch_related("secrets").order_by("-made_at", "-id")


def endpoint_for(actor: Actor, shown_id: str) -> WebhookEndpoint:
    """One of the actor's own. Raises ``Absent`` for everybody else's."""
    endpoint_id = read_id("webhook_endpoint", shown_id)
    found = endpoints_of(actor).filter(id=endpoint_id).first() if endpoint_id else None
    if found is None:
        raise Absent
    return found


def made_lately(
    actor: Actor, since: datetime, *, name: str, address: str, event_types: Collection[str]
) -> WebhookEndpoint | None:
    """One that this credential made as it asks for it again: the answer was lost on its way."""
    recent = endpoints_of(actor).filter(
        made_at__gt=since, credential_id=actor.credential_id, name=name.strip(), url=address.strip()
    )
    return next((each for each in recent if set(each.event_types) == set(event_types)), None)


def deliveries_of(
    actor: Actor, endpoint: WebhookEndpoint, *, state: State | None = None
) -> QuerySet[WebhookDelivery]:
    """The newest first, each with its attempts in order: examples, and what is about things that
    the actor's credential may see."""
    attempts = Prefetch("attempts_made", queryset=WebhookAttempt.objects.order_by("number"))
    seen = [each for each in TYPES if event_type(each).scope in actor.scopes]
    mine = Q(is_test=True) | Q(event_type__in=seen)
    found = WebhookDelivery.objects.filter(mine, endpoint=endpoint).prefetch_related(attempts)
    found = found.filter(state=state) if state else found
    return found.order_by("-number")


def delivery_for(actor: Actor, endpoint: WebhookEndpoint, shown_id: str) -> WebhookDelivery:
    delivery_id = read_id("webhook_delivery", shown_id)
    found = deliveries_of(actor, endpoint).filter(id=delivery_id).first() if delivery_id else None
    if found is None:
        raise Absent
    return found


def secrets_in_force(endpoint_id: UUID, moment: datetime) -> list[str]:
    """Opened, the newest first: what an event is signed with at this moment."""
    rows = WebhookSecret.objects.filter(endpoint_id=endpoint_id).filter(
        Q(until=None) | Q(until__gt=moment)
    )
    return [unseal(each.sealed, purpose=SEALED_FOR) for each in rows.order_by("-made_at", "-id")]


def programme_of(message: OutboxMessage) -> UUID | None:
    """In which programme it happened; None for what happens in none, as a sign-in does."""
    if message.subject_kind == "credential":
        held = Credential.objects.filter(id=message.subject_id, kind=Credential.Kind.TOKEN)
        return held.values_list("programme_id", flat=True).first()
    find = FINDERS.get(message.subject_kind)
    subject = find({message.subject_id}).get(message.subject_id) if find else None
    return subject.programme_id if subject else None


@finder("webhook_endpoint")
def _endpoints(ids: Collection[UUID]) -> dict[UUID, Subject]:
    rows = WebhookEndpoint.objects.filter(id__in=ids)
    return {
        each.id: Subject(each.programme_id, name=each.name, owner_id=each.party_id) for each in rows
    }
