"""Webhook endpoints as SDKs know them: a translation of ``accounts.webhooks``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.webhooks.commands import (
    Change,
    change_webhook,
    make_webhook,
    remove_webhook,
    rotate_webhook_secret,
)
from accounts.webhooks.delivering import try_webhook
from accounts.webhooks.events import TYPES
from accounts.webhooks.models import WebhookEndpoint
from accounts.webhooks.queries import endpoint_for, endpoints_of, made_lately
from core.api import Shape, Text, operation
from core.api.pages import LARGEST_LIMIT, USUAL_LIMIT
from core.clock import now
from core.errors import InvalidOrder, Refusal
from core.ids import shown
from greenroom.openai.endpoint import Door
from greenroom.openai.fields import Constant

RETRIED_WITHIN = timedelta(minutes=10)
EXAMPLE = {
    "name": "render farm",
    "url": "https://hooks.example.org/greenroom",
    "event_types": ["video.completed", "video.failed"],
}
EVENT_TYPES = gettext_lazy("Of GET /v1/webhook_event_types.")


class EndpointShape(Shape):
    id = serializers.CharField()
    object = Constant(says="webhook_endpoint")
    created_at = serializers.IntegerField()
    updated_at = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    signing_secret_hint = serializers.CharField()
    state = serializers.CharField(help_text=gettext_lazy("Ours from here on."))
    disabled_reason = serializers.CharField()


class EndpointWithSecret(EndpointShape):
    signing_secret = serializers.CharField(
        allow_null=True,
        help_text=gettext_lazy("In this answer only; null where a request is answered again."),
    )


class EndpointList(Shape):
    object = Constant(says="list")
    # DRF has a property of this name, which the metaclass takes out of the way.
    data = EndpointShape(many=True)  # type: ignore[assignment]
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class EndpointDeleted(Shape):
    id = serializers.CharField()
    object = Constant(says="webhook_endpoint.deleted")
    deleted = serializers.BooleanField()


class EndpointTested(Shape):
    object = Constant(says="webhook_endpoint.test")
    webhook_endpoint_id = serializers.CharField()
    event_type = serializers.CharField()
    status_code = serializers.IntegerField(help_text=gettext_lazy("What the endpoint answered."))
    success = serializers.BooleanField(help_text=gettext_lazy("That it answered at all."))


class EventTypeList(Shape):
    object = Constant(says="list")
    data = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]


class EndpointsWish(Shape):
    after = serializers.CharField(
        required=False, help_text=gettext_lazy("The id of the last one of the page before.")
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_LIMIT, default=USUAL_LIMIT, required=False
    )


class NewEndpoint(Shape):
    name = Text(max_length=80)
    url = Text(max_length=500)
    event_types = serializers.ListField(
        child=Text(), allow_empty=False, max_length=100, help_text=EVENT_TYPES
    )


class EndpointChange(Shape):
    name = Text(max_length=80, required=False)
    url = Text(max_length=500, required=False)
    event_types = serializers.ListField(
        child=Text(), allow_empty=False, max_length=100, required=False, help_text=EVENT_TYPES
    )


class RotationWish(Shape):
    keep_old_secret_active_for_24_hours = serializers.BooleanField(default=False, required=False)


class TestWish(Shape):
    event_type = Text(help_text=EVENT_TYPES)


class Endpoints(Door):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=gettext_lazy("List your webhook endpoints"),
        words=gettext_lazy("Newest first, never with their secrets."),
        query=EndpointsWish,
        answers=EndpointList,
    )
    def get(self, _request: Request) -> Response:
        wish = self.asked_in_query()
        found = [_shown(each) for each in endpoints_of(self.actor)]
        if "after" in wish:
            ids = [each["id"] for each in found]
            if wish["after"] not in ids:
                raise InvalidOrder(
                    "cursor_invalid", _("There is no webhook of this id."), field="after"
                )
            found = found[ids.index(wish["after"]) + 1 :]
        page = found[: wish["limit"]]
        return self.answer(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(found) > len(page),
            }
        )

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=gettext_lazy("Create a webhook endpoint"),
        words=gettext_lazy(
            "Its signing secret stands in this one answer. Each event needs the scope by which one"
            " sees its thing."
        ),
        asks=NewEndpoint,
        answers=EndpointWithSecret,
        is_repeatable=True,
        example=EXAMPLE,
    )
    def post(self, _request: Request) -> Response:
        asked = self.asked()
        with _in_words_of_the_door():
            before = self._made_before(asked) if self.is_retry else None
            if before is not None:
                # The answer was lost on its way, and the secret with it: another one for the same.
                webhook = shown("webhook_endpoint", before.id)
                endpoint, secret = rotate_webhook_secret(
                    actor=self.actor, webhook=webhook, keep_old=False
                )
            else:
                endpoint, secret = make_webhook(
                    actor=self.actor,
                    once=self.once_for(self.fingerprint(asked)),
                    answer=lambda made: (200, {**_shown(made), "signing_secret": None}),
                    name=asked["name"],
                    address=asked["url"],
                    event_types=asked["event_types"],
                )
        return self.answer({**_shown(endpoint), "signing_secret": secret})

    def _made_before(self, asked: dict[str, Any]) -> WebhookEndpoint | None:
        return made_lately(
            self.actor,
            now() - RETRIED_WITHIN,
            name=asked["name"],
            address=asked["url"],
            event_types=asked["event_types"],
        )


class OneEndpoint(Door):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=gettext_lazy("Read one webhook endpoint"),
        answers=EndpointShape,
        refuses=(404,),
    )
    def get(self, _request: Request, webhook_endpoint_id: str) -> Response:
        return self.answer(_shown(endpoint_for(self.actor, webhook_endpoint_id)))

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=gettext_lazy("Change a webhook endpoint"),
        words=gettext_lazy("Only what is given changes."),
        asks=EndpointChange,
        answers=EndpointShape,
        refuses=(404,),
        example={"name": "render farm"},
    )
    def post(self, _request: Request, webhook_endpoint_id: str) -> Response:
        asked = self.asked()
        change = Change(asked.get("name"), asked.get("url"), asked.get("event_types"))
        with _in_words_of_the_door():
            endpoint = change_webhook(actor=self.actor, webhook=webhook_endpoint_id, change=change)
        return self.answer(_shown(endpoint))

    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=gettext_lazy("Delete a webhook endpoint"),
        words=gettext_lazy("With its secret and its log."),
        answers=EndpointDeleted,
        refuses=(404,),
    )
    def delete(self, _request: Request, webhook_endpoint_id: str) -> Response:
        remove_webhook(actor=self.actor, webhook=webhook_endpoint_id)
        return self.answer(
            {"id": webhook_endpoint_id, "object": "webhook_endpoint.deleted", "deleted": True}
        )


class RotateSecret(Door):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=gettext_lazy("Rotate the signing secret"),
        words=gettext_lazy(
            "With keep_old_secret_active_for_24_hours events are signed with the old one besides."
        ),
        asks=RotationWish,
        answers=EndpointWithSecret,
        refuses=(404,),
        example={"keep_old_secret_active_for_24_hours": True},
    )
    def post(self, _request: Request, webhook_endpoint_id: str) -> Response:
        endpoint, secret = rotate_webhook_secret(
            actor=self.actor,
            webhook=webhook_endpoint_id,
            keep_old=self.asked()["keep_old_secret_active_for_24_hours"],
        )
        return self.answer({**_shown(endpoint), "signing_secret": secret})


class Test(Door):
    @operation(
        scope=Scope.WEBHOOKS_WRITE,
        summary=gettext_lazy("Send a test event"),
        words=gettext_lazy(
            "An example of the event, at once. Whatever the endpoint answers is told with 200; that"
            " nobody answered is an error."
        ),
        asks=TestWish,
        answers=EndpointTested,
        refuses=(404,),
        example={"event_type": "video.completed"},
    )
    def post(self, _request: Request, webhook_endpoint_id: str) -> Response:
        event_type = self.asked()["event_type"]
        _tried, said = try_webhook(
            actor=self.actor, webhook=webhook_endpoint_id, event_type=event_type
        )
        if said.status is None:
            raise InvalidOrder(
                "webhook_not_reached", _("The endpoint did not answer."), why=said.failure
            )
        return self.answer(
            {
                "object": "webhook_endpoint.test",
                "webhook_endpoint_id": webhook_endpoint_id,
                "event_type": event_type,
                "status_code": said.status,
                "success": True,
            }
        )


class EventTypes(Door):
    @operation(
        scope=Scope.WEBHOOKS_READ,
        summary=gettext_lazy("List what webhooks can be told of"),
        answers=EventTypeList,
    )
    def get(self, _request: Request) -> Response:
        return self.answer({"object": "list", "data": TYPES})


@contextmanager
def _in_words_of_the_door() -> Iterator[None]:
    """A field is named as this door calls it."""
    try:
        yield
    except Refusal as refusal:
        if refusal.field == "address":
            refusal.field = "url"
        raise


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    in_force = [each.hint for each in endpoint.secrets.all() if each.until is None]
    return {
        "id": shown("webhook_endpoint", endpoint.id),
        "object": "webhook_endpoint",
        "created_at": int(endpoint.made_at.timestamp()),
        "updated_at": int(endpoint.changed_at.timestamp()),
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "signing_secret_hint": next(iter(in_force), ""),
        "state": endpoint.state,
        "disabled_reason": endpoint.disabled_reason,
    }
