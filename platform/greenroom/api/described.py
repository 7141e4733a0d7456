"""What the document says beyond the shapes: examples, codes of refusals, and the webhooks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.webhooks.events import described as webhook_events
from core.errors import HTTP_STATUS, TITLES
from core.ids import PREFIXES
from greenroom.api.codes import Codes
from greenroom.api.examples import SIGNS, example_of

Document = dict[str, Any]

# Gaps of addresses whose name is not the thing's own; what is no thing stands there itself.
OTHERWISE_NAMED = {
    "act_id": "consent_act",
    "delivery": "webhook_delivery",
    "link_id": "share_link",
    "listed": "release",
    "number": "1",
    "slug": "studio",
    "token": "credential",
    "webhook": "webhook_endpoint",
}

# Where a refusal is made deeper than ``codes_of`` looks.
USUAL = {404: ["not_found"], 409: ["state_changed"]}


def with_examples(document: Document) -> None:
    """An example for every answer, and for every id in an address."""
    shapes = document["components"]["schemas"]
    for methods in document["paths"].values():
        for said in methods.values():
            for parameter in said.get("parameters", ()):
                if parameter["in"] == "path" and "example" not in parameter:
                    parameter["example"] = in_address(parameter["name"])
            for status, answer in said["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    if "example" in content or "schema" not in content:
                        continue
                    if media_type == "application/problem+json":
                        content["example"] = problem(int(status), answer.get("x-codes", []))
                    elif media_type == "application/json":
                        content["example"] = example_of(content["schema"], shapes)


def in_address(name: str) -> str:
    """What may stand in a gap of this name."""
    if name in OTHERWISE_NAMED:
        name = OTHERWISE_NAMED[name]
    thing = name.removesuffix("_id")
    return f"{PREFIXES[thing]}_{SIGNS}" if thing in PREFIXES else thing


def with_codes(said: Document, codes: Codes) -> Document:
    """Each refusal of one operation with the codes that it may carry."""
    for status, answer in said["responses"].items():
        if found := codes.get(int(status)) or USUAL.get(int(status)):
            answer["x-codes"] = found
    return said


def problem(status: int, codes: list[str]) -> dict[str, Any]:
    """Of the first of these codes."""
    kind = next((kind for kind, number in HTTP_STATUS.items() if number == status), None)
    title = str(TITLES[kind]) if kind else _("Something went wrong here.")
    found: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": title,
        "code": codes[0] if codes else "refused",
    }
    if status != 404:  # absent and not yours are the same bytes
        found["request_id"] = "01890a5dac96774bbcceb302099a8057"
    return found


def webhooks() -> Document:
    """One entry for each event that a webhook may be told of."""
    return {
        each.type: {
            "post": {
                "operationId": f"webhook_{each.type.replace('.', '_')}",
                "summary": str(each.words),
                "tags": ["webhooks"],
                "x-scope": each.scope.value,
                "security": [],
                "parameters": [
                    _header("webhook-id", _("The event's id: the same at every try.")),
                    _header("webhook-timestamp", _("When this try was made, in Unix seconds.")),
                    _header(
                        "webhook-signature",
                        _("“v1,” and an HMAC-SHA-256; several while a secret is changed."),
                    ),
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/WebhookEvent"},
                            "example": each.example,
                        }
                    },
                },
                "responses": {
                    "2XX": {"description": _("Taken. Anything else is tried again.")},
                    "410": {"description": _("Gone: the webhook is turned off.")},
                },
            }
        }
        for each in webhook_events()
    }


def webhook_shapes() -> Document:
    kinds = [each.type for each in webhook_events()]
    return {
        "WebhookEvent": {
            "type": "object",
            "description": _("What happened; “data” names the thing, and what the event is about."),
            "required": ["id", "object", "type", "created_at", "data"],
            "properties": {
                "id": {"type": "string"},
                "object": {"const": "event"},
                "type": {"type": "string", "enum": kinds},
                "created_at": {"type": "integer", "description": _("Unix seconds.")},
                "data": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": {"type": "string"}},
                },
            },
        }
    }


def _header(name: str, words: str) -> Document:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": words,
    }
