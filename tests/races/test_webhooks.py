"""Two who send at once: one event is in one hand, and what happens to one thing stays in order."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from accounts.webhooks import delivering
from accounts.webhooks.commands import Change, change_webhook, make_webhook
from accounts.webhooks.delivering import claim_delivery, deliver_due, deliver_unless_somebody_does
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint
from accounts.webhooks.rules import ENDPOINTS_PER_PARTY, EndpointState, State
from core.ids import shown
from stage.builders import a_job
from stage.receiver import happened

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

MANY = 6


def a_hook(member, receiver, *types):
    endpoint, secret = make_webhook(
        actor=member.actor,
        name="tool",
        address=receiver.url,
        event_types=list(types) or ["video.held", "video.resumed", "video.failed"],
    )
    return endpoint, secret


def failed(member, job=None):
    job = job or a_job(member)
    happened(member, "job.failed", "job", job.id, code="engine_error", charged=0)


def test_of_many_who_claim_at_once_one_has_it(tester, receiver, at_once):
    a_hook(tester, receiver)
    failed(tester)
    claims = at_once(MANY, lambda _number: claim_delivery())
    assert sum(claim is not None for claim in claims) == 1
    assert WebhookDelivery.objects.get().attempts == 1


def test_without_the_lock_the_database_lets_one_have_it_all_the_same(
    tester, receiver, at_once, monkeypatch
):
    """The endpoint is not held, and nobody asks whether it is in hand. The table does."""
    a_hook(tester, receiver)
    failed(tester)
    without = delivering._NEXT.replace("FOR NO KEY UPDATE OF e SKIP LOCKED", "")
    assert without != delivering._NEXT
    monkeypatch.setattr(delivering, "_NEXT", without)
    monkeypatch.setattr(
        delivering,
        "_due",
        lambda endpoint, _moment: WebhookDelivery.objects.filter(endpoint=endpoint).first(),
    )
    claims = at_once(MANY, lambda _number: claim_delivery())
    assert sum(isinstance(each, delivering.Claim) for each in claims) == 1
    others = [each for each in claims if not isinstance(each, delivering.Claim)]
    assert all(each is None or isinstance(each, IntegrityError) for each in others)
    assert WebhookDelivery.objects.get().attempts == 1


def test_many_senders_deliver_each_event_once_and_each_things_in_order(
    tester, second_tester, receiver, at_once
):
    for member in (tester, second_tester):
        a_hook(member, receiver)
        for job in (a_job(member), a_job(member)):
            happened(member, "job.held", "job", job.id)
            happened(member, "job.resumed", "job", job.id)
            failed(member, job)
    at_once(MANY, lambda _number: deliver_due())
    while WebhookDelivery.objects.filter(state=State.WAITING).exists():
        deliver_due()
    assert len(receiver.ids()) == len(set(receiver.ids())) == 12
    numbers = dict(WebhookDelivery.objects.values_list("message_id", "number"))
    by_id = {shown("event", message): number for message, number in numbers.items()}
    of_things: dict[bytes, list[int]] = {}
    for arrived in receiver.arrived:
        (job,) = [part for part in arrived.body.split(b'"') if part.startswith(b"job_")]
        of_things.setdefault(job, []).append(by_id[arrived.id])
    assert all(order == sorted(order) for order in of_things.values())
    assert len(of_things) == 4


def test_only_one_process_of_a_house_sends_at_a_time(tester, receiver, at_once):
    a_hook(tester, receiver)
    failed(tester)
    assert sum(at_once(MANY, lambda _number: deliver_unless_somebody_does())) == 1
    assert len(receiver.arrived) == 1


def test_however_many_are_made_at_once_a_party_has_ten(tester, receiver, at_once):
    actor = tester.actor
    for _number in range(ENDPOINTS_PER_PARTY - 1):
        a_hook(tester, receiver)

    def make(_number):
        return make_webhook(
            actor=actor, name="tool", address=receiver.url, event_types=["payout.paid"]
        )

    made = at_once(MANY, make)
    assert sum(isinstance(each, tuple) for each in made) == 1
    assert WebhookEndpoint.objects.count() == ENDPOINTS_PER_PARTY


def test_turned_off_while_events_arrive_it_keeps_nothing_that_waits(tester, receiver, at_once):
    endpoint, _secret = a_hook(tester, receiver)
    webhook, actor = shown("webhook_endpoint", endpoint.id), tester.actor
    jobs = [a_job(tester) for _number in range(MANY)]

    def one(number):
        if number == MANY // 2:
            change_webhook(actor=actor, webhook=webhook, change=Change(is_on=False))
        else:
            failed(tester, jobs[number])

    assert [each for each in at_once(MANY, one) if isinstance(each, Exception)] == []
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.DISABLED
    assert not WebhookDelivery.objects.filter(state=State.WAITING).exists()
