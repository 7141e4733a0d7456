"""Webhooks over the native API: made, changed, tested, removed; the secret once."""

from __future__ import annotations

import json

import pytest

from accounts.credentials.commands import revoke_token
from accounts.credentials.models import Credential
from accounts.webhooks.commands import forget_old_deliveries
from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.events import TYPES
from accounts.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from accounts.webhooks.rules import (
    ENDPOINTS_PER_PARTY,
    LOG_KEPT,
    MOST_OLD_SECRETS,
    OLD_SECRET_WORKS,
    EndpointState,
    State,
    Why,
)
from core.audit.models import AuditEvent
from core.ids import read_id, shown
from core.outbox.models import OutboxMessage
from greenroom.offboarding.commands import offboard_member
from greenroom.offboarding.rules import Why as Left
from stage.builders import a_clip, a_job
from stage.cast import api_of
from stage.receiver import answer, happened, heard

pytestmark = pytest.mark.django_db(transaction=True)

WISH = {
    "name": "tool",
    "address": "https://hooks.example.org/in",
    "event_types": ["video.completed", "video.failed"],
}


def made(member, **other):
    response = member.api.post("/api/v1/webhooks", {**WISH, **other})
    assert response.status_code == 201, response.content
    return response.json()


def test_the_secret_stands_in_one_answer_and_is_sealed_in_the_database(tester):
    webhook = made(tester)
    secret = webhook["secret"]
    assert secret.startswith("whsec_")
    listed = tester.api.get("/api/v1/webhooks").content.decode()
    one = tester.api.get(webhook["url"]).content.decode()
    assert secret not in listed + one
    assert "secret_hint" in one
    (kept,) = WebhookSecret.objects.all()
    assert secret.removeprefix("whsec_") not in kept.sealed
    told = json.dumps([*AuditEvent.objects.values_list("facts", flat=True)])
    told += json.dumps([*OutboxMessage.objects.values_list("facts", flat=True)])
    assert secret not in told
    assert "hooks.example.org" not in told


def test_asked_again_with_the_same_key_it_is_the_same_webhook_without_its_secret(tester):
    api = api_of(tester.token())
    again = [api.post("/api/v1/webhooks", WISH, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [each.status_code for each in again] == [201, 201]
    assert again[1].json() == {**again[0].json(), "secret": None}
    assert WebhookEndpoint.objects.count() == 1


def test_a_party_has_ten_at_most_and_a_removed_one_makes_room(tester, second_tester):
    ids = [made(tester)["url"] for _number in range(ENDPOINTS_PER_PARTY)]
    eleventh = tester.api.post("/api/v1/webhooks", WISH)
    assert (eleventh.status_code, eleventh.json()["code"]) == (422, "too_many_webhooks")
    made(second_tester)
    assert tester.api.delete(ids[3]).json()["is_removed"] is True
    made(tester)


@pytest.mark.parametrize(
    ("wish", "code", "field"),
    [
        ({"address": "http://example.com/"}, "webhook_address_refused", "address"),
        ({"address": "https://10.0.0.1/"}, "webhook_address_refused", "address"),
        ({"event_types": ["batch.completed"]}, "event_types_invalid", "event_types"),
        ({"name": "  "}, "name_invalid", "name"),
    ],
)
def test_a_bad_wish_is_refused_with_its_code_and_its_field(tester, wish, code, field):
    refused = tester.api.post("/api/v1/webhooks", {**WISH, **wish})
    assert refused.status_code == 422
    assert code in refused.content.decode()
    assert field in refused.content.decode()


def test_a_token_is_told_only_of_what_it_may_see(tester):
    api = api_of(tester.token("webhooks:write", "clips:read"))
    assert api.post("/api/v1/webhooks", WISH).status_code == 201
    payouts = api.post("/api/v1/webhooks", {**WISH, "event_types": ["payout.paid"]})
    assert payouts.status_code == 403
    assert payouts.json()["code"] == "wrong_scope"


def test_a_token_points_nothing_elsewhere_that_it_may_not_see(tester):
    """Nor does it learn the secret by which events are believed."""
    webhook = made(tester, event_types=["video.completed", "payout.paid"])["url"]
    token = api_of(tester.token("webhooks:write", "clips:read"))
    elsewhere = {"address": "https://elsewhere.example.org/"}
    refused = [
        token.patch(webhook, elsewhere),
        token.patch(webhook, {"name": "mine"}),
        token.post(f"{webhook}/rotate-secret", {}),
        token.post(webhook.replace("/api/v1/webhooks", "/v1/webhook_endpoints"),
                   {"url": elsewhere["address"]}),
    ]  # fmt: skip
    assert [each.status_code for each in refused] == [403] * 4
    assert token.patch(webhook, {"state": "disabled"}).status_code == 200
    assert token.patch(webhook, {"state": "enabled"}).status_code == 403
    assert tester.api.get(webhook).json()["address"] == WISH["address"]
    fewer = token.patch(webhook, {**elsewhere, "event_types": ["video.completed"]})
    assert fewer.status_code == 200


def test_the_log_shows_a_token_only_what_is_about_things_that_it_may_see(tester, hook):
    webhook, _secret = hook(tester, "video.completed", "token.minted")
    token = api_of(tester.token("webhooks:read", "webhooks:write", "clips:read"))
    a_clip(tester)
    heard()
    minted = Credential.objects.get(party_id=tester.party_id, kind="token")
    happened(tester, "token.minted", "credential", minted.id)
    log = f"/api/v1/webhooks/{webhook}/deliveries"
    everything = tester.api.get(log).json()["items"]
    assert [each["event_type"] for each in everything] == ["token.minted", "video.completed"]
    assert [each["event_type"] for each in token.get(log).json()["items"]] == ["video.completed"]
    assert token.get(everything[0]["url"]).status_code == 404
    assert token.post(f"{everything[0]['url']}/replay", {}).status_code == 404


def test_only_with_the_scope_and_only_ones_own(tester, stranger, anybody):
    webhook = made(tester)
    blind = api_of(tester.token("clips:read"))
    reader = api_of(tester.token("webhooks:read"))
    assert anybody.get(webhook["url"]).status_code == 401
    assert blind.get(webhook["url"]).status_code == 403
    assert reader.get(webhook["url"]).status_code == 200
    assert reader.delete(webhook["url"]).status_code == 403
    assert stranger.api.get(webhook["url"]).status_code == 404
    assert stranger.api.delete(webhook["url"]).status_code == 404


def test_for_a_day_after_a_rotation_both_secrets_take_an_event(tester, hook, receiver, clock):
    webhook, first = hook(tester)
    url = f"/api/v1/webhooks/{webhook}"
    rotated = tester.api.post(f"{url}/rotate-secret", {"keep_old_for_24_hours": True}).json()
    a_clip(tester)
    heard()
    deliver_due()
    (arrived,) = receiver.arrived
    assert arrived.verified(first)
    assert arrived.verified(rotated["secret"])
    assert len(arrived.headers["webhook-signature"].split(" ")) == 2
    clock.advance(OLD_SECRET_WORKS)
    happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
    deliver_due()
    assert len(receiver.arrived[1].headers["webhook-signature"].split(" ")) == 1
    forget_old_deliveries()
    assert WebhookSecret.objects.count() == 1


def test_without_keeping_it_the_old_secret_takes_nothing_any_more(tester, hook, receiver):
    webhook, first = hook(tester)
    url = f"/api/v1/webhooks/{webhook}/rotate-secret"
    for _number in range(MOST_OLD_SECRETS + 2):
        tester.api.post(url, {"keep_old_for_24_hours": True})
    assert WebhookSecret.objects.count() == MOST_OLD_SECRETS + 1
    secret = tester.api.post(url, {"keep_old_for_24_hours": False}).json()["secret"]
    a_clip(tester)
    heard()
    deliver_due()
    (arrived,) = receiver.arrived
    assert arrived.verified(secret)
    with pytest.raises(Exception, match="No matching signature"):
        arrived.verified(first)


def test_a_test_is_sent_at_once_and_stands_in_the_log(tester, hook, receiver):
    webhook, secret = hook(tester)
    receiver.usual = answer(418, body=b"teapot")
    url = f"/api/v1/webhooks/{webhook}"
    tried = tester.api.post(f"{url}/test", {"event_type": "payout.paid"}).json()
    assert tried["attempts"][0]["status"] == 418
    assert (tried["state"], tried["is_test"]) == ("failed", True)
    assert receiver.arrived[0].verified(secret)["type"] == "payout.paid"
    (listed,) = tester.api.get(f"{url}/deliveries").json()["items"]
    assert listed == tried
    assert tester.api.get(f"{url}/deliveries?state=waiting").json()["items"] == []
    assert deliver_due() == 0, "an example is not tried again"


def test_what_was_missed_is_sent_again_by_its_time(tester, hook, receiver, clock):
    clock.stop()
    webhook, _ = hook(tester)
    receiver.usual = answer(410)
    moments = []
    for _number in range(2):
        happened(tester, "job.failed", "job", a_job(tester).id, code="engine_error", charged=0)
        moments.append(clock.now().isoformat())
        clock.advance(minutes=10)
    deliver_due()
    url = f"/api/v1/webhooks/{webhook}"
    assert tester.api.post(f"{url}/replay", {}).status_code == 409, "it is off"
    assert tester.api.patch(url, {"state": "enabled"}).json()["state"] == "enabled"
    receiver.usual = answer(200)
    count = tester.api.post(f"{url}/replay", {"since": moments[1]}).json()["count"]
    assert count == 1
    assert tester.api.post(f"{url}/replay", {}).json()["count"] == 1
    assert deliver_due() == 2
    assert tester.api.post(f"{url}/replay", {}).json()["count"] == 0
    assert tester.api.post(f"{url}/replay", {"delivered_too": True}).json()["count"] == 2
    waiting = tester.api.get(f"{url}/deliveries?state=waiting").json()["items"]
    assert tester.api.post(f"{waiting[0]['url']}/replay").status_code == 409


def test_a_revoked_token_takes_the_webhooks_it_made_with_it_and_the_owner_hears(tester):
    url = made(tester)["url"]
    endpoint = WebhookEndpoint.objects.get()
    revoke_token(actor=tester.actor, credential_id=endpoint.credential_id)
    heard()
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == (EndpointState.DISABLED, Why.CREDENTIAL)
    assert OutboxMessage.objects.get(kind="webhook.disabled").party_id == tester.party_id
    assert tester.api.get(url).status_code == 401


def test_who_leaves_the_programme_leaves_no_webhook_behind(tester, manager, hook, receiver):
    hook(tester)
    a_clip(tester)
    heard()
    deliver_due()
    assert WebhookAttempt.objects.exists()
    offboard_member(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        reason=next(iter(Left)),
        actor=manager.actor,
    )
    for model in (WebhookEndpoint, WebhookSecret, WebhookDelivery, WebhookAttempt):
        assert not model.objects.exists()


def test_the_log_is_kept_for_thirty_days(tester, hook, receiver, clock):
    hook(tester)
    a_clip(tester)
    job = a_job(tester)
    heard()
    deliver_due()
    clock.advance(LOG_KEPT / 2)
    happened(tester, "job.failed", "job", job.id, code="engine_error", charged=0)
    clock.advance(LOG_KEPT / 2)
    clock.advance(seconds=5)
    assert forget_old_deliveries() == 1
    assert WebhookDelivery.objects.get().state == State.WAITING


def test_the_catalogue_says_what_a_webhook_can_be_told_of(tester):
    items = tester.api.get("/api/v1/webhook-event-types").json()["items"]
    assert [each["type"] for each in items] == TYPES
    assert all(each["example"]["type"] == each["type"] for each in items)
    assert all(each["words"] for each in items)
    assert read_id("event", items[0]["example"]["id"])
    assert shown("event", read_id("event", items[0]["example"]["id"]))
