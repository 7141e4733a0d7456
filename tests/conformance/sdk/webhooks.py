"""Endpoints and deliveries."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from types import SimpleNamespace
from typing import Any

import openai
from desk import PATIENCE_S, SMALL, Desk, check, done, refused, since
from standardwebhooks import Webhook, WebhookVerificationError

SEEN = ["video.completed", "video.failed"]


def received(desk: Desk, path: str, kind: str, about: str = "") -> dict[str, Any]:
    """The newest delivery of this kind (and about this) to this address, as it came."""
    over = time.monotonic() + PATIENCE_S
    while time.monotonic() < over:
        with urllib.request.urlopen(f"{desk.world.received}/{path}") as answer:
            for each in reversed(json.load(answer)):
                if json.loads(each["body"])["type"] == kind and about in each["body"]:
                    return dict(each)
        time.sleep(0.1)
    raise AssertionError(f"no {kind} came to {path}")


async def an_endpoint(desk: Desk, name: str) -> Any:
    """By the SDK's method where it has one, else by its way to any address."""
    path = f"{name}-{uuid.uuid4().hex}"
    wish = {"name": name, "url": f"{desk.world.receiver}/{path}", "event_types": SEEN}
    if hasattr(desk.client.webhooks, "create"):
        made = await done(desk.client.webhooks.create(**wish))
        return SimpleNamespace(id=made.id, signing_secret=made.signing_secret, path=path)
    made = await done(desk.client.post("/webhook_endpoints", body=wish, cast_to=object))
    return SimpleNamespace(id=made["id"], signing_secret=made["signing_secret"], path=path)


@check
async def a_delivery_is_unwrapped_and_a_false_one_refused(desk: Desk) -> None:
    endpoint = await an_endpoint(desk, "unwrapped")
    video = await done(
        desk.client.videos.create_and_poll(**SMALL, prompt="told", poll_interval_ms=100)
    )
    came = received(desk, endpoint.path, "video.completed", video.id)
    unwrap = desk.client.webhooks.unwrap
    event = unwrap(came["body"], came["headers"], secret=endpoint.signing_secret)
    assert (event.type, event.data.id, event.object) == ("video.completed", video.id, "event")
    assert event.id.startswith("evt_")
    assert abs(event.created_at - time.time()) < 300
    old = {**came["headers"], "webhook-timestamp": str(int(time.time()) - 301)}
    for body, headers, secret in (
        (came["body"].replace(video.id, desk.world.failed), came["headers"], endpoint),
        (came["body"], old, endpoint),
        (came["body"], came["headers"], SimpleNamespace(signing_secret="whsec_AAAA")),
    ):
        with refused(openai.InvalidWebhookSignatureError):
            unwrap(body, headers, secret=secret.signing_secret)
    reference = Webhook(endpoint.signing_secret)
    assert reference.verify(came["body"], came["headers"])["data"]["id"] == video.id
    for body, headers in ((came["body"] + " ", came["headers"]), (came["body"], old)):
        try:
            reference.verify(body, headers)
        except WebhookVerificationError:
            continue
        raise AssertionError("the reference library took it")


@since(3)
async def endpoints_are_looked_after(desk: Desk) -> None:
    hooks = desk.client.webhooks
    types = await done(hooks.event_types.list())
    assert set(SEEN) <= set(map(str, types.data))
    made = await done(
        hooks.create(name="mine", url=f"{desk.world.receiver}/kept", event_types=SEEN)
    )
    assert made.object == "webhook_endpoint"
    assert made.signing_secret.startswith("whsec_")
    read = await done(hooks.retrieve(made.id))
    assert (read.name, read.url, read.event_types) == ("mine", made.url, SEEN)
    assert getattr(read, "signing_secret", None) is None
    changed = await done(hooks.update(made.id, name="ours", event_types=SEEN[:1]))
    assert (changed.name, changed.event_types, changed.url) == ("ours", SEEN[:1], made.url)
    assert made.id in [each.id for each in await desk.all_of(hooks.list(limit=1))]
    gone = await done(hooks.delete(made.id))
    assert (gone.id, gone.object, gone.deleted) == (made.id, "webhook_endpoint.deleted", True)
    with refused(openai.NotFoundError):
        await done(hooks.retrieve(made.id))


@since(3)
async def a_rotated_secret_counts_beside_the_old_one(desk: Desk) -> None:
    hooks = desk.client.webhooks
    endpoint = await an_endpoint(desk, "rotated")
    fresh = await done(hooks.rotate_secret(endpoint.id, keep_old_secret_active_for_24_hours=True))
    assert fresh.signing_secret != endpoint.signing_secret
    told = await done(hooks.test(endpoint.id, event_type="video.failed"))
    assert told
    came = received(desk, endpoint.path, "video.failed")
    for secret in (endpoint.signing_secret, fresh.signing_secret):
        assert hooks.unwrap(came["body"], came["headers"], secret=secret).type == "video.failed"
    only = await done(hooks.rotate_secret(endpoint.id))
    with refused(openai.InvalidWebhookSignatureError):
        hooks.unwrap(came["body"], came["headers"], secret=only.signing_secret)
