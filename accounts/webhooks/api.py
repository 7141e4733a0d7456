"""Webhooks over the native API."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.webhooks.commands import (
    Change,
    change_webhook,
    make_webhook,
    remove_webhook,
    replay_deliveries,
    replay_delivery,
    rotate_webhook_secret,
)
from accounts.webhooks.delivering import try_webhook
from accounts.webhooks.events import described
from accounts.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.queries import deliveries_of, delivery_for, endpoint_for, endpoints_of
from accounts.webhooks.rules import EndpointState, State
from core.api import Endpoint, Moment, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.ids import shown

EXAMPLE = {
    "name": "render farm",
    "address": "https://hooks.example.org/greenroom",
    "event_types": ["video.completed", "video.failed"],
}


class ShownWebhook(Shape):
    id = PublicId("webhook_endpoint")
    url = Text()
    name = Text()
    address = Text(help_text=_("Where events are posted to."))
    event_types = serializers.ListField(child=Text())
    state = Text(help_text=_("“enabled” or “disabled”."))
    disabled_reason = Text(help_text=_("Why it is off; empty while it is on."))
    secret_hint = Text(help_text=_("How the secret in force ends, to tell which one you have."))
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text=_("Until when events are signed with the secret before, too.")
    )
    failures = Whole(help_text=_("Attempts in a row that failed."))
    failing_since = serializers.DateTimeField(allow_null=True)
    made_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class WebhookWithSecret(ShownWebhook):
    secret = Text(
        allow_null=True,
        help_text=_("What signatures are made with, in this answer only; null in a repeated one."),
    )


class NewWebhook(Shape):
    name = Text(max_length=80)
    address = Text(max_length=500)
    event_types = serializers.ListField(child=Text(), allow_empty=False, max_length=100)


class WebhookChange(Shape):
    name = Text(max_length=80, required=False)
    address = Text(max_length=500, required=False)
    event_types = serializers.ListField(
        child=Text(), allow_empty=False, max_length=100, required=False
    )
    state = serializers.ChoiceField(EndpointState.choices, required=False)


class RemovedWebhook(Shape):
    id = PublicId("webhook_endpoint")
    is_removed = serializers.BooleanField()


class Rotation(Shape):
    keep_old_for_24_hours = serializers.BooleanField(
        default=True,
        help_text=_("Sign with the old secret besides, for a day, so that no event is missed."),
    )


class Trial(Shape):
    event_type = Text(default="video.completed")


class ShownAttempt(Shape):
    number = Whole()
    at = serializers.DateTimeField()
    took_ms = Whole()
    status = Whole(allow_null=True, help_text=_("What was answered; null where nobody did."))
    failure = Text(help_text=_("Why it counts as not delivered; empty where it was."))
    answer = Text(help_text=_("How the answer's body begins."))


class ShownDelivery(Shape):
    id = PublicId("webhook_delivery")
    url = Text()
    event = PublicId("event", help_text=_("The “webhook-id”: the same on every attempt."))
    event_type = Text()
    is_test = serializers.BooleanField()
    state = Text(help_text=_("“waiting”, “delivered”, “failed” or “dropped”."))
    body = Text(help_text=_("The bytes that are signed and sent."))
    made_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(
        allow_null=True, help_text=_("When it is tried next; null when it waits no more.")
    )
    ended_at = serializers.DateTimeField(allow_null=True)
    attempts = ShownAttempt(many=True)


class DeliveriesWish(PageWish):
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only those that stand there.")
    )


class ReplayWish(Shape):
    since = Moment(required=False, help_text=_("Events made at this moment or later."))
    until = Moment(required=False, help_text=_("Events made at this moment or earlier."))
    delivered_too = serializers.BooleanField(
        default=False, help_text=_("Also what was delivered; else only what was not.")
    )


class Replayed(Shape):
    count = Whole(help_text=_("How many are sent again: the oldest first, 500 at a time."))


class ShownEventType(Shape):
    type = Text()
    words = Text()
    scope = Text(help_text=_("What a credential needs to ask for it."))
    example = serializers.DictField()


class Webhooks(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=_("Your webhooks"),
        words=_("Newest first, never with their secrets."),
        answers=ShownWebhook,
        query=PageWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        page = page_of(endpoints_of(self.actor), self.asked_in_query(), by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(each) for each in page.rows]))

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Make a webhook"),
        words=_(
            "Events of yours in this programme are posted to its address, signed as Standard "
            "Webhooks says. Each event needs the scope by which one sees its thing. The secret "
            "stands in this one answer and nowhere else."
        ),
        answers=WebhookWithSecret,
        status=201,
        asks=NewWebhook,
        is_repeatable=True,
        example=EXAMPLE,
    )
    def post(self, _request: Request) -> Response:
        wish = self.asked()
        endpoint, secret = make_webhook(
            actor=self.actor,
            once=self.once(),
            answer=lambda made: (201, {**_shown(made), "secret": None}),
            **wish,
        )
        return self.answer({**_shown(endpoint), "secret": secret})


class OneWebhook(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=_("One webhook"),
        answers=ShownWebhook,
        refuses=(404,),
    )
    def get(self, _request: Request, webhook: str) -> Response:
        return self.answer(_shown(endpoint_for(self.actor, webhook)))

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Change a webhook"),
        words=_(
            "Only what is given changes. Turned off, it loses what waits for it; turned on again, "
            "it hears of what happens from then on. Needs the scope of each event that it has."
        ),
        answers=ShownWebhook,
        asks=WebhookChange,
        refuses=(404,),
        example={"state": "enabled"},
    )
    def patch(self, _request: Request, webhook: str) -> Response:
        wish = self.asked()
        state = wish.pop("state", None)
        change = Change(**wish, is_on=None if state is None else state == EndpointState.ENABLED)
        return self.answer(_shown(change_webhook(actor=self.actor, webhook=webhook, change=change)))

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Remove a webhook"),
        words=_("With its secret and its log. What is on its way may still arrive."),
        answers=RemovedWebhook,
        refuses=(404,),
    )
    def delete(self, _request: Request, webhook: str) -> Response:
        endpoint = endpoint_for(self.actor, webhook)
        remove_webhook(actor=self.actor, webhook=webhook)
        return self.answer(dict(RemovedWebhook({"id": endpoint.id, "is_removed": True}).data))


class Rotate(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Give a webhook a new secret"),
        words=_(
            "It stands in this one answer and nowhere else. Needs the scope of each event that the "
            "webhook has."
        ),
        answers=WebhookWithSecret,
        asks=Rotation,
        refuses=(404,),
        example={"keep_old_for_24_hours": True},
    )
    def post(self, _request: Request, webhook: str) -> Response:
        keep = self.asked()["keep_old_for_24_hours"]
        endpoint, secret = rotate_webhook_secret(actor=self.actor, webhook=webhook, keep_old=keep)
        return self.answer({**_shown(endpoint), "secret": secret})


class Test(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Send a webhook an example"),
        words=_(
            "At once, and waits for the answer for eight seconds; whether the webhook is on or off."
        ),
        answers=ShownDelivery,
        asks=Trial,
        refuses=(404, 409),
        example={"event_type": "video.completed"},
    )
    def post(self, _request: Request, webhook: str) -> Response:
        tried, _said = try_webhook(
            actor=self.actor, webhook=webhook, event_type=self.asked()["event_type"]
        )
        endpoint = endpoint_for(self.actor, webhook)
        found = delivery_for(self.actor, endpoint, shown("webhook_delivery", tried.id))
        return self.answer(_shown_delivery(found))


class Deliveries(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=_("What was sent to a webhook"),
        words=_("Newest first, for thirty days; of things that this credential may see."),
        answers=ShownDelivery,
        query=DeliveriesWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request, webhook: str) -> Response:
        wish = self.asked_in_query()
        state = wish.get("state")
        rows = deliveries_of(
            self.actor,
            endpoint_for(self.actor, webhook),
            state=State(state) if state else None,
        )
        page = page_of(rows, wish, by=("-number",))
        return self.answer(page.shown([_shown_delivery(each) for each in page.rows]))


class OneDelivery(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=_("One delivery and its attempts"),
        answers=ShownDelivery,
        refuses=(404,),
    )
    def get(self, _request: Request, webhook: str, delivery: str) -> Response:
        found = delivery_for(self.actor, endpoint_for(self.actor, webhook), delivery)
        return self.answer(_shown_delivery(found))


class Replay(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Send one delivery again"),
        words=_("The same bytes under the same “webhook-id”."),
        answers=ShownDelivery,
        refuses=(404, 409),
    )
    def post(self, _request: Request, webhook: str, delivery: str) -> Response:
        again = replay_delivery(actor=self.actor, webhook=webhook, delivery=delivery)
        return self.answer(_shown_delivery(again))


class ReplayAll(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=_("Send what was missed again"),
        words=_("Whatever was given up or not sent, within two moments."),
        answers=Replayed,
        asks=ReplayWish,
        refuses=(404, 409),
        example={"since": "2026-06-01T00:00:00Z"},
    )
    def post(self, _request: Request, webhook: str) -> Response:
        count = replay_deliveries(actor=self.actor, webhook=webhook, **self.asked())
        return self.answer(dict(Replayed({"count": count}).data))


class EventTypes(Endpoint):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=_("What webhooks can be told of"),
        words=_("All of it stands on one page."),
        answers=ShownEventType,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        items = [dict(ShownEventType(_told(each)).data) for each in described()]
        return self.answer({"items": items, "next": None})


def _told(each: Any) -> dict[str, Any]:
    return {
        "type": each.type,
        "words": each.words,
        "scope": each.scope.value,
        "example": each.example,
    }


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    secrets = list(endpoint.secrets.all())
    facts = {
        "id": endpoint.id,
        "url": f"/api/v1/webhooks/{shown('webhook_endpoint', endpoint.id)}",
        "name": endpoint.name,
        "address": endpoint.url,
        "event_types": endpoint.event_types,
        "state": endpoint.state,
        "disabled_reason": endpoint.disabled_reason,
        "secret_hint": next((each.hint for each in secrets if each.until is None), ""),
        "old_secret_until": max((each.until for each in secrets if each.until), default=None),
        "failures": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "made_at": endpoint.made_at,
        "changed_at": endpoint.changed_at,
    }
    return dict(ShownWebhook(facts).data)


def _shown_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    webhook = shown("webhook_endpoint", delivery.endpoint_id)
    attempts: list[WebhookAttempt] = list(delivery.attempts_made.all())
    facts = {
        "id": delivery.id,
        "url": f"/api/v1/webhooks/{webhook}/deliveries/{shown('webhook_delivery', delivery.id)}",
        "event": delivery.message_id,
        "event_type": delivery.event_type,
        "is_test": delivery.is_test,
        "state": delivery.state,
        "body": delivery.body,
        "made_at": delivery.made_at,
        "due_at": delivery.due_at if delivery.state == State.WAITING else None,
        "ended_at": delivery.ended_at,
        "attempts": attempts,
    }
    return dict(ShownDelivery(facts).data)


urlpatterns = [
    path("webhooks", Webhooks.as_view()),
    path("webhooks/<str:webhook>", OneWebhook.as_view()),
    path("webhooks/<str:webhook>/rotate-secret", Rotate.as_view()),
    path("webhooks/<str:webhook>/test", Test.as_view()),
    path("webhooks/<str:webhook>/replay", ReplayAll.as_view()),
    path("webhooks/<str:webhook>/deliveries", Deliveries.as_view()),
    path("webhooks/<str:webhook>/deliveries/<str:delivery>", OneDelivery.as_view()),
    path("webhooks/<str:webhook>/deliveries/<str:delivery>/replay", Replay.as_view()),
    path("webhook-event-types", EventTypes.as_view()),
]
