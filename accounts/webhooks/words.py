"""Webhooks and what was sent to them, as the pages show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.webhooks.events import TYPES, event_type
from accounts.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.outlet import Said
from accounts.webhooks.rules import EndpointState, State, Why
from core.ids import shown

# By the word before the dot; every event stands in one of these.
GROUPS: tuple[tuple[Promise, frozenset[str]], ...] = (
    (gettext_lazy("Clips and jobs"), frozenset({"video", "clip"})),
    (gettext_lazy("Review"), frozenset({"review"})),
    (gettext_lazy("Releases"), frozenset({"release"})),
    (gettext_lazy("Contributions and pay"), frozenset({"contribution", "earning", "payout"})),
    (gettext_lazy("Your tokens"), frozenset({"token"})),
)

FAILURES = {
    "refused": gettext_lazy("It answered that it did not take it."),
    "redirect": gettext_lazy("It sent us elsewhere; webhooks follow no redirects."),
    "name_unknown": gettext_lazy("Its name was not found."),
    "name_timeout": gettext_lazy("Its name was not found in time."),
    "no_connection": gettext_lazy("There was no connection."),
    "connection_refused": gettext_lazy("Nobody listens there."),
    "connection_lost": gettext_lazy("The connection broke off."),
    "connect_timeout": gettext_lazy("There was no connection in time."),
    "tls_failed": gettext_lazy("No safe connection came about."),
    "tls_timeout": gettext_lazy("No safe connection came about in time."),
    "certificate_refused": gettext_lazy("Its certificate is not trusted, or not for this name."),
    "send_timeout": gettext_lazy("It did not read what was sent in time."),
    "answer_timeout": gettext_lazy("It did not answer in time."),
    "answer_garbled": gettext_lazy("What it answered is no HTTP."),
    "network_closed": gettext_lazy("Its name leads into a network that is closed to webhooks."),
    "url_not_https": gettext_lazy("Its address does not begin with https://."),
    "secret_unreadable": gettext_lazy("Its secret cannot be read any more. Make a new one."),
}


@dataclass(frozen=True, slots=True)
class ShownWebhook:
    public_id: str
    name: str
    address: str
    event_types: Sequence[str]
    is_on: bool
    why_off: str
    hint: str
    old_until: datetime | None
    failing_since: datetime | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    number: int
    at: datetime
    words: str
    took_ms: int
    answer: str


@dataclass(frozen=True, slots=True)
class ShownDelivery:
    public_id: str
    event: str
    event_type: str
    is_test: bool
    state: str
    state_words: str
    made_at: datetime
    due_at: datetime | None
    attempts: Sequence[ShownAttempt]
    body: str

    @property
    def last(self) -> ShownAttempt | None:
        return self.attempts[-1] if self.attempts else None


def shown_webhook(endpoint: WebhookEndpoint) -> ShownWebhook:
    secrets = list(endpoint.secrets.all())
    is_on = endpoint.state == EndpointState.ENABLED
    return ShownWebhook(
        public_id=shown("webhook_endpoint", endpoint.id),
        name=endpoint.name,
        address=endpoint.url,
        event_types=endpoint.event_types,
        is_on=is_on,
        why_off="" if is_on else str(Why(endpoint.disabled_reason).label),
        hint=next((each.hint for each in secrets if each.until is None), ""),
        old_until=max((each.until for each in secrets if each.until), default=None),
        failing_since=endpoint.failing_since if is_on else None,
        made_at=endpoint.made_at,
    )


def shown_delivery(delivery: WebhookDelivery) -> ShownDelivery:
    state = State(delivery.state)
    return ShownDelivery(
        public_id=shown("webhook_delivery", delivery.id),
        event=shown("event", delivery.message_id),
        event_type=delivery.event_type,
        is_test=delivery.is_test,
        state=state.value,
        state_words=str(state.label),
        made_at=delivery.made_at,
        due_at=delivery.due_at if state is State.WAITING and delivery.attempts else None,
        attempts=[_attempt(each) for each in delivery.attempts_made.all()],
        body=json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
    )


def _attempt(attempt: WebhookAttempt) -> ShownAttempt:
    return ShownAttempt(
        number=attempt.number,
        at=attempt.at,
        words=_outcome(attempt.status, attempt.failure),
        took_ms=attempt.took_ms,
        answer=attempt.answer,
    )


def said_words(said: Said) -> str:
    return _outcome(said.status, said.failure or ("" if said.is_fine else "refused"))


def _outcome(status: int | None, failure: str) -> str:
    words = str(FAILURES.get(failure, _("It could not be sent."))) if failure else ""
    if status is None:
        return words
    answered = _("It answered %(status)s.") % {"status": status}
    return f"{answered} {words}" if failure == "redirect" else answered


def event_groups(scopes: Iterable[str]) -> list[tuple[Promise, list[tuple[str, Any]]]]:
    """Under their headings, those that somebody with these scopes may hear of."""
    carried = set(scopes)
    mine = [each for each in TYPES if event_type(each).scope in carried]
    groups = [
        (title, [(each, event_type(each).words) for each in mine if each.split(".")[0] in nouns])
        for title, nouns in GROUPS
    ]
    return [(title, inside) for title, inside in groups if inside]
