"""Webhooks in the portal, without a script."""

from __future__ import annotations

import re

import pytest

from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint
from accounts.webhooks.rules import EndpointState, State
from core.ids import shown
from stage.builders import a_clip
from stage.receiver import answer, heard

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(response) -> str:
    return response.content.decode()


def filled(tester, receiver, **other):
    page = text_of(tester.client.get("/webhooks/new"))
    (once,) = re.findall(r'name="once" value="(\w+)"', page)
    wish = {"name": "my tool", "address": receiver.url, "event_types": ["video.completed"]}
    return {**wish, "once": once, **other}


def test_made_by_a_form_its_secret_is_shown_once(tester, receiver):
    wish = filled(tester, receiver)
    made = tester.client.post("/webhooks/new", wish)
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    (secret,) = re.findall(r'value="(whsec_[^"]+)"', text_of(made))
    again = tester.client.post("/webhooks/new", wish, follow=True)
    assert "is not shown twice" in text_of(again)
    (endpoint,) = WebhookEndpoint.objects.all()
    page = text_of(tester.client.get(f"/webhooks/{shown('webhook_endpoint', endpoint.id)}"))
    assert secret not in text_of(again) + page
    a_clip(tester)
    heard()
    deliver_due()
    assert receiver.arrived[0].verified(secret)["type"] == "video.completed"


def test_what_the_command_refuses_stands_beside_its_field(tester, receiver):
    wish = filled(tester, receiver, address="https://169.254.169.254/latest")
    answer_ = tester.client.post("/webhooks/new", wish)
    assert answer_.status_code == 422
    assert "Webhooks do not go to that network from here." in text_of(answer_)
    assert not WebhookEndpoint.objects.exists()


def test_without_one_the_list_says_what_would_be_here(tester):
    page = text_of(tester.client.get("/webhooks"))
    assert "No webhooks yet." in page
    assert "/webhooks/new" in page
    assert 'href="/webhooks"' in text_of(tester.client.get("/tokens"))


def test_the_log_shows_what_was_sent_what_was_answered_and_sends_it_again(tester, hook, receiver):
    webhook, _ = hook(tester)
    receiver.usual = answer(410, body=b"moved out")
    a_clip(tester)
    heard()
    deliver_due()
    (delivery,) = WebhookDelivery.objects.all()
    page = text_of(tester.client.get(f"/webhooks/{webhook}"))
    assert "It answered 410: gone, for good." in page
    log = f"/webhooks/{webhook}/deliveries/{shown('webhook_delivery', delivery.id)}"
    assert log in page
    entry = text_of(tester.client.get(log))
    for words in ("It answered 410.", "moved out", "video.completed", "Turn it on to send"):
        assert words in entry
    tester.client.post(f"/webhooks/{webhook}/switch", {"state": "enabled"})
    assert "Send again" in text_of(tester.client.get(log))
    receiver.usual = answer(200)
    tester.client.post(f"{log}/send-again")
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == State.DELIVERED
    assert text_of(tester.client.get(f"/webhooks/{webhook}?state=failed")).count(log) == 0
    assert text_of(tester.client.get(f"/webhooks/{webhook}?state=delivered")).count(log) == 1


def test_an_example_tells_what_was_answered(tester, hook, receiver):
    webhook, secret = hook(tester)
    page = tester.client.post(f"/webhooks/{webhook}/test", follow=True)
    assert "The example was sent. It answered 204." in text_of(page)
    assert receiver.arrived[0].verified(secret)["type"] == "video.completed"
    receiver.stop()
    page = tester.client.post(f"/webhooks/{webhook}/test", follow=True)
    assert "Nobody listens there." in text_of(page)
    assert WebhookEndpoint.objects.get().failures == 0, "an example counts for nothing"


def test_changed_turned_off_rotated_and_removed(tester, hook):
    webhook, secret = hook(tester)
    change = {
        "name": "another",
        "address": "https://hooks.example.org/",
        "event_types": ["payout.paid"],
    }
    assert tester.client.post(f"/webhooks/{webhook}/change", change).status_code == 302
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.name, endpoint.url) == ("another", "https://hooks.example.org/")
    assert endpoint.event_types == ["payout.paid"]
    tester.client.post(f"/webhooks/{webhook}/switch", {"state": "disabled"})
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.DISABLED
    page = text_of(tester.client.post(f"/webhooks/{webhook}/rotate-secret", {"keep_old": "on"}))
    (second,) = re.findall(r'value="(whsec_[^"]+)"', page)
    assert second != secret
    assert "The old secret counts until" in page
    gone = tester.client.post(f"/webhooks/{webhook}/remove", follow=True)
    assert "“another” is removed." in text_of(gone)
    assert tester.client.get(f"/webhooks/{webhook}").status_code == 404


def test_somebody_elses_is_not_there(tester, second_tester, stranger, hook):
    webhook, _ = hook(tester)
    for other in (second_tester, stranger):
        assert other.client.get(f"/webhooks/{webhook}").status_code == 404
        assert other.client.post(f"/webhooks/{webhook}/remove").status_code == 404
        assert webhook not in text_of(other.client.get("/webhooks"))
