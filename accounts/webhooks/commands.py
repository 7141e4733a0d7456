"""Making, changing and ending webhooks, and writing down what they are to be told.

What leaves the house, and how often, stands in ``delivering``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.peppers import seal
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.webhooks.addresses import AddressRefused, read_address
from accounts.webhooks.bell import ring
from accounts.webhooks.events import (
    TYPES,
    EventType,
    body_of,
    data_of,
    event_of,
    event_type,
    written,
)
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from accounts.webhooks.queries import (
    SEALED_FOR,
    allowed_networks,
    deliveries_of,
    delivery_for,
    endpoint_for,
    programme_of,
)
from accounts.webhooks.rules import (
    ENDPOINTS_PER_PARTY,
    LARGEST_BODY,
    LOG_KEPT,
    LONGEST_NAME,
    MOST_OLD_SECRETS,
    MOST_REPLAYED,
    MOVES,
    OLD_SECRET_WORKS,
    EndpointState,
    Move,
    State,
    Why,
)
from accounts.webhooks.signing import hint_of, new_secret
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.idempotency.commands import Once
from core.ids import shown
from core.outbox.commands import listener, say
from core.outbox.models import OutboxMessage
from core.states import advance
from core.text import is_readable

log = logging.getLogger("greenroom.webhooks")

Answer = Callable[[WebhookEndpoint], tuple[int, Any]]

REFUSED = {
    "url_invalid": gettext_lazy("That is no address a webhook could have."),
    "url_not_https": gettext_lazy("A webhook has an address that begins with https://."),
    "url_with_credentials": gettext_lazy(
        "An address with a name or a password in it is not taken: what is sent is signed."
    ),
    "host_invalid": gettext_lazy("Write the host by its name, or its address in the usual form."),
    "port_closed": gettext_lazy("Webhooks go to port 443, or to one from 1024 on."),
    "network_closed": gettext_lazy("Webhooks do not go to that network from here."),
}


@dataclass(frozen=True, slots=True)
class Change:
    """What is None stays as it is."""

    name: str | None = None
    address: str | None = None
    event_types: Sequence[str] | None = None
    is_on: bool | None = None


# Endpoints ---------------------------------------------------------------------------------------


def make_webhook(
    *,
    actor: Actor,
    name: str,
    address: str,
    event_types: Sequence[str],
    once: Once | None = None,
    answer: Answer | None = None,
) -> tuple[WebhookEndpoint, str]:
    """A webhook of the actor's own, and its secret: the only time that it exists as text.

    Asking again with the same ``once`` raises ``AlreadyAnswered`` with what ``answer`` gave, which
    never holds the secret. Raises ``InvalidOrder`` for a bad wish, and ``WrongScope`` for events
    about things that this credential may not see.
    """
    actor.must_act(Scope.WEBHOOKS_WRITE)
    wish = _checked(actor, Change(name, address, event_types))
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once is not None:
            once.begin()
        endpoint = WebhookEndpoint.objects.create(
            programme_id=actor.programme,
            party_id=actor.party_id,
            slot=_free_slot(actor),
            credential_id=actor.credential_id,
            **wish,
        )
        secret = _give_secret(endpoint.id)
        _note("webhook.made", endpoint, actor, event_types=endpoint.event_types)
        endpoint = endpoint_for(actor, shown("webhook_endpoint", endpoint.id))
        if once is not None and answer is not None:
            once.keep(*answer(endpoint))
    return endpoint, secret


def change_webhook(*, actor: Actor, webhook: str, change: Change) -> WebhookEndpoint:
    """Turned off, it loses what waits for it; turned on again, it hears of what comes from then on.

    Raises as ``make_webhook`` does, of events that it has already as well, and ``Absent``.
    """
    actor.must_act(Scope.WEBHOOKS_WRITE)
    wish = _checked(actor, change)
    with transaction.atomic():
        endpoint = _held(actor, webhook)
        differs = {name: value for name, value in wish.items() if getattr(endpoint, name) != value}
        if differs or change.is_on:
            _must_see(actor, wish.get("event_types", endpoint.event_types))
        if differs:
            # Whatever it sent under another credential's name, it sends under this one's now.
            WebhookEndpoint.objects.filter(id=endpoint.id).update(
                **differs, credential_id=actor.credential_id, changed_at=now()
            )
            _note("webhook.changed", endpoint, actor, fields=sorted(differs))
        is_on = endpoint.state == EndpointState.ENABLED
        if change.is_on is False and is_on:
            disable(endpoint, Why.OWNER, actor=actor)
        elif change.is_on and not is_on:
            _enable(endpoint, actor)
    return endpoint_for(actor, webhook)


def remove_webhook(*, actor: Actor, webhook: str) -> None:
    """With its secrets and its log; what is on its way may still arrive. Raises ``Absent``."""
    actor.must_act(Scope.WEBHOOKS_WRITE)
    with transaction.atomic():
        endpoint = _held(actor, webhook)
        _note("webhook.removed", endpoint, actor)
        endpoint.delete()


def rotate_webhook_secret(
    *, actor: Actor, webhook: str, keep_old: bool
) -> tuple[WebhookEndpoint, str]:
    """A new secret, returned once. With ``keep_old`` events are signed with the old one besides,
    for a day, so that a receiver can change without missing any. Raises ``WrongScope`` as
    ``change_webhook`` does: whoever has it can write events that are believed."""
    actor.must_act(Scope.WEBHOOKS_WRITE)
    with transaction.atomic():
        endpoint = _held(actor, webhook)
        _must_see(actor, endpoint.event_types)
        secrets = WebhookSecret.objects.filter(endpoint=endpoint)
        if keep_old:
            secrets.filter(until=None).update(until=now() + OLD_SECRET_WORKS)
            keep = secrets.filter(until__gt=now()).order_by("-until", "-id")[:MOST_OLD_SECRETS]
            secrets.exclude(id__in=list(keep.values_list("id", flat=True))).delete()
        else:
            secrets.delete()
        secret = _give_secret(endpoint.id)
        WebhookEndpoint.objects.filter(id=endpoint.id).update(
            changed_at=now(), credential_id=actor.credential_id
        )
        _note("webhook.secret_rotated", endpoint, actor, keeps_old=keep_old)
    return endpoint_for(actor, webhook), secret


def disable(endpoint: WebhookEndpoint, why: Why, *, actor: Actor | None = None) -> bool:
    """Inside the caller's transaction; False where it was off. Its owner hears of it, but of what
    they did themselves."""
    on = WebhookEndpoint.objects.filter(id=endpoint.id, state=EndpointState.ENABLED)
    if not on.update(state=EndpointState.DISABLED, disabled_reason=why):
        return False
    WebhookDelivery.objects.filter(endpoint=endpoint, state=State.WAITING).update(
        state=MOVES[State.WAITING, Move.DROP], ended_at=now(), lease_until=None
    )
    _note("webhook.disabled", endpoint, actor, why=why.value)
    if why is not Why.OWNER:
        subject = ("webhook_endpoint", endpoint.id)
        say("webhook.disabled", subject=subject, party=endpoint.party_id, why=why.value)
    return True


def _enable(endpoint: WebhookEndpoint, actor: Actor) -> None:
    WebhookEndpoint.objects.filter(id=endpoint.id).update(
        state=EndpointState.ENABLED,
        disabled_reason="",
        failures=0,
        failing_since=None,
        rests_until=None,
        credential_id=actor.credential_id,
        changed_at=now(),
    )
    _note("webhook.enabled", endpoint, actor)


def _checked(actor: Actor, change: Change) -> dict[str, Any]:
    wish: dict[str, Any] = {}
    if change.name is not None:
        wish["name"] = _name(change.name)
    if change.address is not None:
        wish["url"] = _url(change.address)
    if change.event_types is not None:
        wish["event_types"] = _event_types(actor, change.event_types)
    return wish


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not is_readable(name):
        raise InvalidOrder(
            "name_invalid",
            _("Give it a name of up to %(most)s characters.") % {"most": LONGEST_NAME},
            field="name",
        )
    return name


def _url(text: str) -> str:
    url = text.strip()
    try:
        read_address(url, allowed_networks())
    except AddressRefused as refused:
        raise InvalidOrder(
            "webhook_address_refused", str(REFUSED[refused.code]), field="address", why=refused.code
        ) from None
    return url


def _event_types(actor: Actor, wanted: Sequence[str]) -> list[str]:
    unknown = sorted(set(wanted) - set(TYPES))
    if not wanted or unknown:
        raise InvalidOrder(
            "event_types_invalid",
            _("Choose at least one event, and only events of the list."),
            field="event_types",
            unknown=unknown[:5],
        )
    _must_see(actor, wanted)
    return [each for each in TYPES if each in set(wanted)]


def _must_see(actor: Actor, event_types: Sequence[str]) -> None:
    """Who may not see something is not told of it either, on whatever way."""
    for each in event_types:
        actor.must_carry(event_type(each).scope)


def _free_slot(actor: Actor) -> int:
    key = f"webhooks:{actor.party_id}:{actor.programme}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    mine = WebhookEndpoint.objects.filter(party_id=actor.party_id, programme_id=actor.programme)
    taken = set(mine.values_list("slot", flat=True))
    free = [slot for slot in range(1, ENDPOINTS_PER_PARTY + 1) if slot not in taken]
    if not free:
        raise InvalidOrder(
            "too_many_webhooks",
            _("You have %(count)s webhooks already. Remove one first.") % {"count": len(taken)},
        )
    return free[0]


def _held(actor: Actor, webhook: str) -> WebhookEndpoint:
    """The actor's own, locked until the commit."""
    lock_live_credential(actor.credential_id)
    found = endpoint_for(actor, webhook)
    locked = WebhookEndpoint.objects.select_for_update(no_key=True).filter(id=found.id).first()
    return locked or endpoint_for(actor, webhook)  # removed meanwhile: absent


def _give_secret(endpoint_id: UUID) -> str:
    secret = new_secret()
    WebhookSecret.objects.create(
        endpoint_id=endpoint_id, sealed=seal(secret, purpose=SEALED_FOR), hint=hint_of(secret)
    )
    return secret


def _note(kind: str, endpoint: WebhookEndpoint, actor: Actor | None, **facts: Any) -> None:
    """Never the address, which may say who somebody is, and never a secret."""
    record(
        kind,
        subject=("webhook_endpoint", endpoint.id),
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        **facts,
    )


# What they are told ------------------------------------------------------------------------------


@listener("webhooks")
def tell_webhooks(message: OutboxMessage) -> None:
    """One delivery for each webhook that asked for it, in the order of the commits."""
    if message.kind == "credential.revoked":
        _end_those_of(message.subject_id)
    event = event_of(message)
    if event is None or message.party_id is None:
        return
    asked = WebhookEndpoint.objects.filter(
        party_id=message.party_id,
        state=EndpointState.ENABLED,
        event_types__contains=[event.type],
        made_at__lte=message.at,
    )
    if not asked.exists():
        return
    programme_id = programme_of(message)
    if programme_id is None:
        return
    # Held, so that none is turned off between here and the commit and keeps what waits.
    endpoints = asked.filter(programme_id=programme_id).select_for_update(no_key=True)
    body = _body(event, message)
    made = WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint,
                message_id=message.id,
                event_type=event.type,
                subject_id=message.subject_id,
                body=body,
            )
            for endpoint in endpoints.order_by("id")
        ],
        ignore_conflicts=True,
    )
    if made:
        transaction.on_commit(ring, robust=True)


def _body(event: EventType, message: OutboxMessage) -> str:
    def with_data(data: dict[str, Any]) -> str:
        moment = int(message.at.timestamp())
        return written(body_of(shown("event", message.id), event.type, moment, data))

    data = data_of(event, message.subject_id, message.facts)
    body = with_data(data)
    if len(body.encode()) < LARGEST_BODY:
        return body
    # Whoever receives it asks for the thing itself; one large fact must not stop all others.
    log.error("webhook_body_too_large", extra={"message_id": str(message.id)})
    return with_data({"id": data["id"]})


def _end_those_of(credential_id: UUID) -> None:
    """Whoever had the credential may have pointed them elsewhere."""
    theirs = WebhookEndpoint.objects.filter(credential_id=credential_id)
    for endpoint in theirs.select_for_update(no_key=True).order_by("id"):
        disable(endpoint, Why.CREDENTIAL)


# Sending again -----------------------------------------------------------------------------------


def replay_delivery(*, actor: Actor, webhook: str, delivery: str) -> WebhookDelivery:
    """The same event with the same id and the same bytes, tried anew from the first pause on.

    Raises ``Absent``, and ``TooLate`` where it waits already or the webhook is off.
    """
    actor.must_act(Scope.WEBHOOKS_WRITE)
    with transaction.atomic():
        endpoint = _held(actor, webhook)
        _must_be_on(endpoint)
        found = delivery_for(actor, endpoint, delivery)
        if found.state == State.WAITING or not _again(found):
            raise TooLate(_("It is waiting to be sent already."))
        _note("webhook.replayed", endpoint, actor, count=1)
    return delivery_for(actor, endpoint, delivery)


def replay_deliveries(
    *,
    actor: Actor,
    webhook: str,
    since: datetime | None = None,
    until: datetime | None = None,
    delivered_too: bool = False,
) -> int:
    """Everything that did not arrive, of events made within these moments; the oldest first, 500 at
    a time. Returns how many are sent again."""
    actor.must_act(Scope.WEBHOOKS_WRITE)
    with transaction.atomic():
        endpoint = _held(actor, webhook)
        _must_be_on(endpoint)
        states = [State.FAILED, State.DROPPED] + [State.DELIVERED] * delivered_too
        found = deliveries_of(actor, endpoint).filter(state__in=states, is_test=False)
        found = found.filter(made_at__gte=since) if since else found
        found = found.filter(made_at__lte=until) if until else found
        count = sum(_again(each) for each in found.order_by("number")[:MOST_REPLAYED])
        _note("webhook.replayed", endpoint, actor, count=count)
    return count


def _again(delivery: WebhookDelivery) -> bool:
    transaction.on_commit(ring, robust=True)
    return advance(
        WebhookDelivery.objects.filter(id=delivery.id),
        MOVES,
        Move.REPLAY,
        seen=State(delivery.state),
        tries=0,
        due_at=now(),
        ended_at=None,
    )


def _must_be_on(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ENABLED:
        raise TooLate(_("This webhook is off. Turn it on first."))


# Housekeeping ------------------------------------------------------------------------------------


def forget_old_deliveries() -> int:
    """The log is kept for thirty days; old secrets that count no more go at once."""
    moment = now()
    with transaction.atomic():
        WebhookSecret.objects.filter(until__lte=moment).delete()
        old = WebhookDelivery.objects.filter(made_at__lt=moment - LOG_KEPT)
        count, _rows = old.exclude(state=State.WAITING).delete()
    return count
