"""Sending what waits: claimed by a lease, posted outside of any transaction, its outcome written by
another.

Whoever is killed between the two leaves a lease that ends; the next one sends the same bytes under
the same id, by which a receiver knows it again. At least once, and in order for each thing: what
happened to it before goes first, until it arrived or was given up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.peppers import PepperUnknown
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.webhooks.addresses import AddressRefused, read_address
from accounts.webhooks.bell import ring
from accounts.webhooks.commands import disable
from accounts.webhooks.events import TYPES, body_of, example_of, written
from accounts.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.outlet import Letter, Said, send
from accounts.webhooks.queries import allowed_networks, endpoint_for, secrets_in_force
from accounts.webhooks.rules import (
    ANSWER_WITHIN_S,
    GIVEN_UP_AFTER,
    LEASE,
    MOST_TRIES,
    MOVES,
    TEST_ANSWERS_WITHIN_S,
    Move,
    State,
    Why,
    pause_after,
    rest_after,
)
from accounts.webhooks.signing import headers
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.ids import new_id, shown
from core.states import advance

log = logging.getLogger("greenroom.webhooks")

SLOTS = 8  # on their way at once, each to another endpoint
RUN_S = 20.0  # one run of the task claims no longer than this
_BREATH_S = 0.2
_GRACE_S = 5.0

GONE = 410
_ASK_FOR_TIME = frozenset({429, 503})

_NEXT = """
    SELECT e.* FROM accounts_webhookendpoint e
    WHERE e.state = 'enabled' AND (e.rests_until IS NULL OR e.rests_until <= core_now())
      AND NOT EXISTS (
          SELECT FROM accounts_webhookdelivery d
          WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.lease_until > core_now())
      AND EXISTS (
          SELECT FROM accounts_webhookdelivery d
          WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.due_at <= core_now()
            AND NOT EXISTS (
                SELECT FROM accounts_webhookdelivery b
                WHERE b.endpoint_id = d.endpoint_id AND b.subject_id = d.subject_id
                  AND b.number < d.number AND b.state = 'waiting'))
    ORDER BY e.tried_at NULLS FIRST, e.id
    LIMIT 1 FOR NO KEY UPDATE OF e SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery in this process's hands, and the letter as it goes out now."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    compose: Callable[[], Letter]


# Claiming ----------------------------------------------------------------------------------------


def claim_delivery() -> Claim | None:
    """Of the endpoint that was tried longest ago, what is due first: each has its turn, and one at
    a time, so that a slow one slows nobody else."""
    with transaction.atomic():
        moment = now()
        endpoint = next(iter(WebhookEndpoint.objects.raw(_NEXT)), None)
        delivery = _due(endpoint, moment) if endpoint else None
        if endpoint is None or delivery is None:
            return None
        WebhookDelivery.objects.filter(id=delivery.id).update(
            attempts=F("attempts") + 1, tries=F("tries") + 1, lease_until=moment + LEASE
        )
        WebhookEndpoint.objects.filter(id=endpoint.id).update(tried_at=moment)
        delivery.attempts += 1
        delivery.tries += 1
    return _claim(delivery, endpoint, moment)


def _due(endpoint: WebhookEndpoint, moment: datetime) -> WebhookDelivery | None:
    """Asked again now that the endpoint is held: another may have taken it a moment ago."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.WAITING)
    if waiting.filter(lease_until__gt=moment).exists():
        return None
    before: QuerySet[WebhookDelivery] = WebhookDelivery.objects.filter(
        endpoint=endpoint,
        state=State.WAITING,
        subject_id=OuterRef("subject_id"),
        number__lt=OuterRef("number"),
    )
    due = waiting.filter(~Exists(before), due_at__lte=moment)
    return due.order_by("due_at", "number").first()


def _claim(delivery: WebhookDelivery, endpoint: WebhookEndpoint, moment: datetime) -> Claim:
    """Secrets are read here, where there is a connection to the database."""
    body = delivery.body.encode()
    message_id = shown("event", delivery.message_id)
    try:
        signed = headers(secrets_in_force(endpoint.id, moment), message_id, moment, body)
    except (PepperUnknown, InvalidToken):
        log.exception("webhook_secret_unreadable", extra={"endpoint_id": str(endpoint.id)})
        signed = {}

    def compose() -> Letter:
        if not signed:
            raise AddressRefused("secret_unreadable")
        return Letter(read_address(endpoint.url, allowed_networks()), signed, body)

    return Claim(delivery, endpoint, compose)


# Carrying ----------------------------------------------------------------------------------------


def carry(claim: Claim, *, within_s: float = ANSWER_WITHIN_S) -> Said:
    """Asks no database: many are carried at once."""
    try:
        return send(
            claim.compose(),
            allowed=allowed_networks(),
            within_s=within_s,
            ca_file=settings.WEBHOOK_CA,
        )
    except AddressRefused as refused:
        return Said(failure=refused.code)
    except Exception:  # one delivery's fault stops only itself
        log.exception("webhook_broken", extra={"delivery_id": str(claim.delivery.id)})
        return Said(failure="broken")


def deliver_due(*, run_s: float = RUN_S) -> int:
    """Send what is due, up to eight at once; returns how many arrived.

    This thread alone talks to the database; the others only carry.
    """
    back: SimpleQueue[tuple[Claim, Said]] = SimpleQueue()
    until = time.monotonic() + run_s
    on_their_way = arrived = 0
    while True:
        while on_their_way < SLOTS and time.monotonic() < until:
            claim = claim_delivery()
            if claim is None:
                break
            _carry_aside(claim, back)
            on_their_way += 1
        if not on_their_way or time.monotonic() > until + ANSWER_WITHIN_S + _GRACE_S:
            break
        try:
            claim, said = back.get(timeout=_BREATH_S)
        except Empty:
            continue
        on_their_way -= 1
        arrived += conclude(claim, said)
    if time.monotonic() >= until:
        ring()
    return arrived


def _carry_aside(claim: Claim, back: SimpleQueue[tuple[Claim, Said]]) -> None:
    threading.Thread(target=lambda: back.put((claim, carry(claim))), daemon=True).start()


def deliver_unless_somebody_does() -> int:
    """``deliver_due``, by one process at a time: slow receivers must not hold all of the house."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('webhooks', 0))")
        (alone,) = cursor.fetchone()
    if not alone:
        return 0
    try:
        return deliver_due()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('webhooks', 0))")


# What came of it ---------------------------------------------------------------------------------


def conclude(claim: Claim, said: Said) -> bool:
    """Write down what came of an attempt; True where it arrived.

    Whoever comes late, after another claimed it or its endpoint went, changes nothing.
    """
    moment = now()
    with transaction.atomic():
        endpoint = (
            WebhookEndpoint.objects.select_for_update(no_key=True)
            .filter(id=claim.endpoint.id)
            .first()
        )
        if endpoint is None or not _move(claim.delivery, said, moment):
            return False
        WebhookAttempt.objects.create(
            delivery=claim.delivery,
            number=claim.delivery.attempts,
            at=moment,
            took_ms=said.took_ms,
            status=said.status,
            failure=_failure(said),
            answer=said.answer.replace("\0", " "),
        )
        if not claim.delivery.is_test:
            _judge_endpoint(endpoint, said, moment)
    return said.is_fine


def _move(delivery: WebhookDelivery, said: Said, moment: datetime) -> bool:
    mine = WebhookDelivery.objects.filter(id=delivery.id, attempts=delivery.attempts)
    if said.is_fine:
        move = Move.DELIVER
    elif delivery.is_test or delivery.tries >= MOST_TRIES or said.status == GONE:
        move = Move.GIVE_UP
    else:
        pause = pause_after(delivery.tries, _asked_pause(said))
        waiting = mine.filter(state=State.WAITING)
        return waiting.update(due_at=moment + pause, lease_until=None) == 1
    return advance(mine, MOVES, move, seen=State.WAITING, ended_at=moment, lease_until=None)


def _judge_endpoint(endpoint: WebhookEndpoint, said: Said, moment: datetime) -> None:
    mine = WebhookEndpoint.objects.filter(id=endpoint.id)
    if said.is_fine:
        mine.update(failures=0, failing_since=None, rests_until=None)
        return
    failures = endpoint.failures + 1
    since = endpoint.failing_since or moment
    asked = _asked_pause(said)
    rests = asked or (rest_after(failures) if said.status is None else None)
    mine.update(
        failures=failures,
        failing_since=since,
        rests_until=moment + min(rests, timedelta(hours=1)) if rests else None,
    )
    if said.status == GONE:
        disable(endpoint, Why.GONE)
    elif moment - since >= GIVEN_UP_AFTER:
        disable(endpoint, Why.NO_ANSWER)


def _asked_pause(said: Said) -> timedelta | None:
    if said.status not in _ASK_FOR_TIME or said.retry_after_s is None:
        return None
    return timedelta(seconds=said.retry_after_s)


def _failure(said: Said) -> str:
    if said.is_fine or said.failure:
        return said.failure
    return "redirect" if said.status is not None and 300 <= said.status < 400 else "refused"


# A test ------------------------------------------------------------------------------------------


def try_webhook(*, actor: Actor, webhook: str, event_type: str) -> tuple[WebhookDelivery, Said]:
    """Send an example of this event now and wait for the answer, whether the webhook is on or off.

    It stands in the log and is not tried again. Raises ``Absent``, ``InvalidOrder`` for an event
    that is not of the list, ``TooLate`` while another test is on its way.
    """
    actor.must_act(Scope.WEBHOOKS_WRITE)
    if event_type not in TYPES:
        raise InvalidOrder("event_types_invalid", _("There is no such event."), field="event_type")
    claim = _claim_test(actor, webhook, event_type)
    said = carry(claim, within_s=TEST_ANSWERS_WITHIN_S)
    conclude(claim, said)
    return claim.delivery, said


def _claim_test(actor: Actor, webhook: str, event_type: str) -> Claim:
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        found = endpoint_for(actor, webhook)
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(id=found.id)
        moment = now()
        mine = WebhookDelivery.objects.filter(endpoint=endpoint, is_test=True)
        if mine.filter(state=State.WAITING, lease_until__gt=moment).exists():
            raise TooLate(_("A test is on its way. Try again in a moment."))
        message_id = new_id()
        data = example_of(event_type)["data"]
        body = body_of(shown("event", message_id), event_type, int(moment.timestamp()), data)
        delivery = WebhookDelivery.objects.create(
            endpoint=endpoint,
            message_id=message_id,
            event_type=event_type,
            subject_id=message_id,
            is_test=True,
            body=written(body),
            attempts=1,
            tries=1,
            lease_until=moment + LEASE,
        )
        record(
            "webhook.tested",
            subject=("webhook_endpoint", endpoint.id),
            actor=actor.party_id,
            credential=actor.credential_id,
        )
    return _claim(delivery, endpoint, moment)
