"""A webhook with two secrets, and deliveries in every state: two of one thing that wait, one in
somebody's hands, one that arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from accounts.webhooks.commands import make_webhook, rotate_webhook_secret
from accounts.webhooks.delivering import claim_delivery, conclude
from accounts.webhooks.models import WebhookDelivery
from accounts.webhooks.outlet import Said
from core.clock import now
from core.ids import new_id, shown
from stage.cast import Member


@dataclass
class WebhookWorld:
    endpoint: UUID
    waiting: UUID
    after_it: UUID
    in_hand: UUID
    arrived: UUID

    def delivery(self, which: str) -> str:
        """A condition that names one of them."""
        return f"id = '{getattr(self, which)}'"


def a_webhook_world(tester: Member) -> WebhookWorld:
    endpoint, _secret = make_webhook(
        actor=tester.actor,
        name="tool",
        address="https://hooks.example.org/",
        event_types=["video.completed"],
    )
    rotate_webhook_secret(
        actor=tester.actor, webhook=shown("webhook_endpoint", endpoint.id), keep_old=True
    )
    arrived, in_hand, waiting = (_a_delivery(endpoint.id, new_id()) for _number in range(3))
    after_it = _a_delivery(endpoint.id, waiting.subject_id)
    first = claim_delivery()
    assert first is not None
    assert conclude(first, Said(status=200))
    # For as long as the attacks take.
    WebhookDelivery.objects.filter(id=in_hand.id).update(
        attempts=1, tries=1, lease_until=now() + timedelta(days=1)
    )
    return WebhookWorld(endpoint.id, waiting.id, after_it.id, in_hand.id, arrived.id)


def _a_delivery(endpoint_id: UUID, subject_id: UUID) -> WebhookDelivery:
    made = WebhookDelivery.objects.create(
        endpoint_id=endpoint_id,
        message_id=new_id(),
        event_type="video.completed",
        subject_id=subject_id,
        body="{}",
    )
    made.refresh_from_db()
    return made
