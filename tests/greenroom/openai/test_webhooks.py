"""Webhook endpoints at the door /v1, in the shape that SDKs expect."""

from __future__ import annotations

import pytest

from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.events import TYPES
from accounts.webhooks.models import WebhookEndpoint
from stage.builders import a_clip
from stage.network import free_port
from stage.receiver import answer, heard

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/webhook_endpoints"


def made(member, receiver, **other):
    wish = {
        "name": "tool",
        "url": receiver.url,
        "event_types": ["video.completed", "video.failed"],
        **other,
    }
    response = member.api.post(URL, wish)
    assert response.status_code == 200, response.content
    return response.json()


def test_it_is_made_read_listed_changed_and_deleted(tester, receiver):
    first, second = made(tester, receiver), made(tester, receiver, name="second")
    assert first.pop("signing_secret").startswith("whsec_")
    assert first == tester.api.get(f"{URL}/{first['id']}").json()
    assert first["object"] == "webhook_endpoint"
    assert first["created_at"] == first["updated_at"]
    listed = tester.api.get(f"{URL}?limit=1").json()
    assert (listed["object"], listed["has_more"]) == ("list", True)
    assert listed["first_id"] == listed["last_id"] == second["id"]
    rest = tester.api.get(f"{URL}?after={second['id']}").json()
    assert (rest["data"], rest["has_more"]) == ([first], False)
    changed = tester.api.post(f"{URL}/{first['id']}", {"event_types": ["payout.paid"]}).json()
    assert (changed["event_types"], changed["name"]) == (["payout.paid"], "tool")
    gone = tester.api.delete(f"{URL}/{first['id']}").json()
    assert gone == {"id": first["id"], "object": "webhook_endpoint.deleted", "deleted": True}
    assert tester.api.delete(f"{URL}/{first['id']}").status_code == 404
    assert tester.api.get(f"{URL}?after={first['id']}").status_code == 400


def test_a_rotated_secret_is_shown_once_and_the_old_one_counts_on_if_asked(tester, receiver):
    webhook = made(tester, receiver)
    url = f"{URL}/{webhook['id']}/rotate_secret"
    keep = {"keep_old_secret_active_for_24_hours": True}
    secret = tester.api.post(url, keep).json()["signing_secret"]
    a_clip(tester)
    heard()
    deliver_due()
    (arrived,) = receiver.arrived
    assert arrived.verified(secret)
    assert arrived.verified(webhook["signing_secret"])
    assert tester.api.post(url, {}).json()["signing_secret"] not in (
        secret,
        webhook["signing_secret"],
    )


def test_a_test_tells_what_was_answered_and_that_nobody_did(tester, receiver):
    receiver.usual = answer(503)
    webhook = made(tester, receiver)
    url = f"{URL}/{webhook['id']}/test"
    assert tester.api.post(url, {"event_type": "video.completed"}).json() == {
        "object": "webhook_endpoint.test",
        "webhook_endpoint_id": webhook["id"],
        "event_type": "video.completed",
        "status_code": 503,
        "success": True,
    }
    quiet = made(tester, receiver, url=f"http://127.0.0.1:{free_port()}/")
    silence = tester.api.post(f"{URL}/{quiet['id']}/test", {"event_type": "video.completed"})
    assert (silence.status_code, silence.json()["error"]["code"]) == (400, "webhook_not_reached")


def test_a_retry_of_a_lost_answer_makes_no_second_endpoint_and_brings_a_secret_that_works(
    tester, receiver
):
    first = made(tester, receiver)
    wish = {"name": "tool", "url": receiver.url, "event_types": first["event_types"]}
    again = tester.api.post(URL, wish, headers={"x-stainless-retry-count": "1"}).json()
    assert again["id"] == first["id"]
    assert WebhookEndpoint.objects.count() == 1
    a_clip(tester)
    heard()
    deliver_due()
    assert receiver.arrived[0].verified(again["signing_secret"])


def test_a_field_is_named_in_errors_as_this_door_calls_it(tester, receiver):
    wish = {"name": "tool", "url": "https://10.0.0.1/", "event_types": ["video.completed"]}
    refused = tester.api.post(URL, wish)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["param"], error["code"]) == ("url", "webhook_address_refused")
    unknown = tester.api.post(URL, {**wish, "url": receiver.url, "event_types": ["batch.failed"]})
    assert unknown.json()["error"]["code"] == "event_types_invalid"


def test_the_event_types_are_those_of_the_catalogue(tester):
    assert tester.api.get("/v1/webhook_event_types").json() == {"object": "list", "data": TYPES}
