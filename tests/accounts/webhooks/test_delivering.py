"""Exactly the committed events arrive, at least once, in order for each thing, signed so that the
reference implementation takes them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.webhooks.commands import Change, change_webhook, replay_delivery
from accounts.webhooks.delivering import claim_delivery, conclude, deliver_due
from accounts.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.outlet import Said
from accounts.webhooks.rules import (
    GIVEN_UP_AFTER,
    LARGEST_BODY,
    LEASE,
    MOST_TRIES,
    EndpointState,
    State,
    Why,
)
from core.clock import now
from core.ids import shown
from core.outbox.commands import say
from core.outbox.models import OutboxMessage
from stage.builders import a_clip, a_job
from stage.clock import Clock
from stage.network import free_port
from stage.receiver import Receiver, answer, happened, heard
from stage.together import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(clock: Clock, moment: datetime) -> None:
    clock.advance(max(moment - now(), timedelta()))


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("number").values_list("state", flat=True))


def test_a_finished_clip_arrives_and_the_reference_implementation_takes_it(tester, hook, receiver):
    _, secret = hook(tester)
    clip = a_clip(tester)
    heard()
    assert deliver_due() == 1
    (arrived,) = receiver.arrived
    message = OutboxMessage.objects.get(kind="job.finished")
    assert arrived.verified(secret) == {
        "id": shown("event", message.id),
        "object": "event",
        "type": "video.completed",
        "created_at": int(message.at.timestamp()),
        "data": {
            "id": "video_" + shown("job", clip.job_id).removeprefix("job_"),
            "job": shown("job", clip.job_id),
            "clip": shown("clip", clip.id),
            "charged_credits": clip.job.price_credits,
        },
    }
    assert arrived.id == shown("event", message.id)
    assert arrived.target == "/hooks?from=house"
    assert arrived.headers["content-type"] == "application/json"
    (attempt,) = WebhookAttempt.objects.all()
    assert (attempt.status, attempt.failure, attempt.number) == (204, "", 1)
    assert states() == [State.DELIVERED]
    assert deliver_due() == 0


def test_what_was_rolled_back_is_told_to_nobody(tester, hook, receiver):
    hook(tester)
    job = a_job(tester)
    with pytest.raises(RuntimeError), transaction.atomic():
        say("job.finished", subject=("job", job.id), party=tester.party_id)
        raise RuntimeError
    heard()
    deliver_due()
    assert not receiver.arrived


def test_somebody_elses_and_another_programmes_events_stay_where_they_are(
    tester, second_tester, stranger, hook, receiver
):
    hook(second_tester)
    hook(stranger)
    a_clip(tester)
    heard()
    deliver_due()
    assert not receiver.arrived
    assert not WebhookDelivery.objects.exists()


def test_only_the_events_that_were_asked_for_arrive(tester, hook, receiver):
    hook(tester, "video.failed")
    a_clip(tester)
    heard()
    deliver_due()
    assert not receiver.arrived


def test_it_is_tried_again_with_the_same_id_and_the_same_bytes(tester, hook, receiver, clock):
    clock.stop()
    hook(tester)
    receiver.answers = [answer(500), answer(503), answer(302, Location="https://example.com/")]
    job = a_job(tester)
    happened(tester, "job.failed", "job", job.id, code="engine_error", charged=0)
    for _number in range(4):
        deliver_due()
        clock.advance(GIVEN_UP_AFTER / 4)
    assert len(set(receiver.ids())) == 1
    assert len({each.body for each in receiver.arrived}) == 1
    assert len(receiver.arrived) == 4, "the redirect was not followed, and counts as no delivery"
    failures = WebhookAttempt.objects.order_by("number").values_list("status", "failure")
    assert list(failures) == [(500, "refused"), (503, "refused"), (302, "redirect"), (204, "")]
    assert states() == [State.DELIVERED]


def test_the_pauses_add_up_to_three_days_and_then_it_is_given_up_and_turned_off(
    tester, hook, receiver, clock
):
    clock.stop()
    hook(tester)
    receiver.usual = answer(500)
    job = a_job(tester)
    happened(tester, "job.failed", "job", job.id, code="engine_error", charged=0)
    began = WebhookDelivery.objects.get().made_at
    while WebhookDelivery.objects.get().state == State.WAITING:
        deliver_due()
        wait_for(clock, WebhookDelivery.objects.get().due_at)
    delivery = WebhookDelivery.objects.get()
    assert delivery.tries == len(receiver.arrived) == MOST_TRIES == 10
    assert GIVEN_UP_AFTER < delivery.ended_at - began < GIVEN_UP_AFTER * 1.2
    assert delivery.state == State.FAILED
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.state, endpoint.disabled_reason) == (EndpointState.DISABLED, Why.NO_ANSWER)
    assert OutboxMessage.objects.get(kind="webhook.disabled").party_id == tester.party_id


def test_one_that_is_refused_for_what_it_is_turns_nothing_off(tester, hook, receiver, clock):
    """A poisoned event is given up, and its endpoint goes on as long as others arrive."""
    clock.stop()
    hook(tester)
    receiver.answers = []
    poisoned, fine = a_job(tester), a_job(tester)
    happened(tester, "job.failed", "job", poisoned.id, code="engine_error", charged=0)
    while WebhookDelivery.objects.filter(state=State.WAITING).exists():
        receiver.answers = [answer(400)]
        deliver_due()
        happened(tester, "job.failed", "job", fine.id, code="engine_error", charged=0)
        receiver.answers = []
        deliver_due()
        wait_for(clock, WebhookDelivery.objects.order_by("number").first().due_at)
    assert WebhookDelivery.objects.order_by("number").first().state == State.FAILED
    assert WebhookEndpoint.objects.get().state == EndpointState.ENABLED


def test_gone_turns_it_off_at_once_and_drops_what_waits(tester, hook, receiver):
    hook(tester)
    receiver.usual = answer(410)
    for _number in range(2):
        job = a_job(tester)
        happened(tester, "job.failed", "job", job.id, code="engine_error", charged=0)
    deliver_due()
    assert len(receiver.arrived) == 1
    assert states() == [State.FAILED, State.DROPPED]
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.state, endpoint.disabled_reason) == (EndpointState.DISABLED, Why.GONE)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    assert len(states()) == 2, "nothing is written for what is off"


def test_a_server_that_asks_for_time_gets_it_within_bounds(tester, hook, receiver, clock):
    clock.stop()
    hook(tester)
    receiver.answers = [answer(429, Retry_After="1800"), answer(503, Retry_After="99999999")]
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    began = WebhookDelivery.objects.get().made_at
    deliver_due()
    first = WebhookDelivery.objects.get().due_at - began
    assert 1800 <= first.total_seconds() <= 1800 * 1.1
    wait_for(clock, WebhookDelivery.objects.get().due_at)
    again = WebhookDelivery.objects.get().due_at
    deliver_due()
    assert WebhookDelivery.objects.get().due_at - again <= GIVEN_UP_AFTER / 2


def test_what_happens_to_one_thing_arrives_in_order_and_waits_for_what_was_before(
    tester, hook, receiver, clock
):
    clock.stop()
    hook(tester, "video.held", "video.resumed", "video.failed")
    receiver.answers = [answer(500)]
    one, other = a_job(tester), a_job(tester)
    happened(tester, "job.held", "job", one.id)
    happened(tester, "job.resumed", "job", one.id)
    happened(tester, "job.failed", "job", other.id, code="engine_error", charged=0)
    deliver_due()
    assert [json.loads(each.body)["type"] for each in receiver.arrived] == [
        "video.held",
        "video.failed",
    ], "another thing's event passes it, its own next one does not"
    wait_for(clock, WebhookDelivery.objects.order_by("number").first().due_at)
    deliver_due()
    assert [json.loads(each.body)["type"] for each in receiver.arrived[2:]] == [
        "video.held",
        "video.resumed",
    ]


def test_killed_in_the_middle_of_it_the_same_event_arrives_again_under_the_same_id(
    tester, hook, receiver, clock
):
    hook(tester)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    dead = claim_delivery()
    assert dead is not None
    assert deliver_due() == 0, "while the lease lasts nobody knows that it is dead"
    clock.advance(LEASE)
    assert deliver_due() == 1
    (arrived,) = receiver.arrived
    assert arrived.id == shown("event", dead.delivery.message_id)
    assert conclude(dead, Said(status=500)) is False, "who comes late changes nothing"
    assert states() == [State.DELIVERED]


def test_turned_off_it_keeps_nothing_and_turned_on_it_hears_of_what_comes(tester, hook, receiver):
    webhook, _ = hook(tester)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    change_webhook(actor=tester.actor, webhook=webhook, change=Change(is_on=False))
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    change_webhook(actor=tester.actor, webhook=webhook, change=Change(is_on=True))
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    assert deliver_due() == 1
    assert states() == [State.DROPPED, State.DELIVERED]


def test_sent_again_it_has_the_same_id_and_the_same_bytes(tester, hook, receiver):
    webhook, secret = hook(tester)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    deliver_due()
    (delivery,) = WebhookDelivery.objects.all()
    replay_delivery(
        actor=tester.actor, webhook=webhook, delivery=shown("webhook_delivery", delivery.id)
    )
    deliver_due()
    first, second = receiver.arrived
    assert first.id == second.id
    assert first.body == second.body
    assert second.verified(secret)
    assert WebhookAttempt.objects.count() == 2


def test_a_body_that_would_be_too_large_goes_without_its_facts(tester, hook, receiver):
    hook(tester)
    job = a_job(tester)
    happened(tester, "job.failed", "job", job.id, code="x" * LARGEST_BODY, charged=0)
    deliver_due()
    (arrived,) = receiver.arrived
    assert len(arrived.body) < LARGEST_BODY
    assert set(json.loads(arrived.body)["data"]) == {"id"}


def test_an_endpoint_that_nobody_answers_rests_and_another_is_served_meanwhile(
    tester, second_tester, hook, receiver, clock
):
    clock.stop()
    hook(tester, url=f"http://127.0.0.1:{free_port()}/")
    for _number in range(3):
        happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    hook(second_tester)
    happened(
        second_tester, "job.failed", "job", a_job(second_tester).id, code="engine_error", charged=0
    )
    assert deliver_due() == 1
    assert WebhookAttempt.objects.filter(failure="connection_refused").count() == 1


def test_a_receiver_that_says_nothing_holds_up_nobody_but_itself(
    tester, second_tester, hook, receiver
):
    silent = Receiver()
    silent.start()
    silence = threading.Event()
    silent.while_taking = silence.wait
    hook(tester, url=silent.url)
    hook(second_tester)
    for member in (tester, second_tester):
        for _number in range(3):
            happened(member, "job.failed", "job", a_job(member).id, code="engine_error", charged=0)

    def send():
        try:
            return deliver_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        wait_until(lambda: len(receiver.arrived) == 3)
        assert silent.connections == 1, "one at a time, and it is waited for still"
        assert not sending.done()
        silence.set()
        assert sending.result() == 6
    silent.stop()
