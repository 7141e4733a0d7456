"""Device login (RFC 8628) for the schema: open to everybody, in the RFC's own shapes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.credentials.rules import LONGEST_LIFE_DAYS, USUAL_LIFE_DAYS
from accounts.device_logins.rules import GRANT_TYPE


def device_login_paths() -> dict[str, Any]:
    return {
        "/api/v1/device-login": {"post": _begin()},
        "/api/v1/device-login/token": {"post": _take()},
    }


def device_login_shapes() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "DeviceLoginWish": _object(
            {
                "client_id": {**text, "description": _("Which program asks.")},
                "client_name": {
                    **text,
                    "maxLength": 80,
                    "description": _("What the person reads; else the client_id."),
                },
                "scope": {**text, "description": _("Scopes, with spaces between them.")},
                "days": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LONGEST_LIFE_DAYS,
                    "default": USUAL_LIFE_DAYS,
                    "description": _("For how long the token is to be, at most."),
                },
            },
            required=["client_id"],
        ),
        "DeviceLoginBegun": _object(
            {
                "device_code": {**text, "description": _("Secret: the program's half.")},
                "user_code": {**text, "description": _("To show; the person types it.")},
                "verification_uri": text,
                "verification_uri_complete": text,
                "expires_in": {"type": "integer"},
                "interval": {"type": "integer", "description": _("Seconds between two polls.")},
            }
        ),
        "DeviceLoginPoll": _object(
            {
                "grant_type": {**text, "enum": [GRANT_TYPE]},
                "device_code": text,
                "client_id": text,
            },
            required=["grant_type", "device_code"],
        ),
        "DeviceLoginToken": _object(
            {
                "access_token": {
                    **text,
                    "description": _("The token itself, in this answer only."),
                },
                "token_type": {**text, "enum": ["Bearer"]},
                "expires_in": {"type": "integer"},
                "scope": text,
                "id": text,
                "key_id": text,
                "expires_at": {**text, "format": "date-time"},
            }
        ),
        "DeviceLoginError": _object(
            {
                "error": text,
                "error_description": text,
                "interval": {"type": "integer", "description": _("With slow_down, the new one.")},
            },
            required=["error", "error_description"],
        ),
    }


def _begin() -> dict[str, Any]:
    return {
        "operationId": "device_login_begin",
        "summary": _("Ask to be let in"),
        "description": _(
            "The device authorization request of RFC 8628, for a program without a token. Show the"
            " code and the address; the person says yes or no in the portal. Both codes count ten"
            " minutes, and once. Unknown fields are ignored."
        ),
        **_open_to_all(),
        "requestBody": _body(
            "DeviceLoginWish",
            {"client_id": "my-tool", "scope": "clips:create clips:read", "days": 30},
        ),
        "responses": {
            "200": _answer("DeviceLoginBegun", _("Done.")),
            "400": _answer("DeviceLoginError", _("invalid_request, or invalid_scope.")),
            "429": _answer(
                "DeviceLoginError",
                _("slow_down: too many were begun from this address. Retry-After says when."),
            ),
        },
    }


def _take() -> dict[str, Any]:
    return {
        "operationId": "device_login_take",
        "summary": _("Ask whether one is let in"),
        "description": _(
            "The device access token request of RFC 8628, every “interval” seconds. Once the person"
            " has allowed it, this answers with a token of theirs, once."
        ),
        **_open_to_all(),
        "requestBody": _body(
            "DeviceLoginPoll",
            {"grant_type": GRANT_TYPE, "device_code": "…", "client_id": "my-tool"},
        ),
        "responses": {
            "200": _answer("DeviceLoginToken", _("Let in.")),
            "400": _answer(
                "DeviceLoginError",
                _(
                    "authorization_pending, slow_down, access_denied, expired_token, invalid_grant,"
                    " invalid_request or unsupported_grant_type."
                ),
            ),
        },
    }


def _open_to_all() -> dict[str, Any]:
    return {"tags": ["device-login"], "security": [{}], "x-scope": ""}


def _body(shape: str, example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape}"}
    content = {
        "application/json": {"schema": schema, "example": example},
        "application/x-www-form-urlencoded": {"schema": schema},
    }
    return {"required": True, "content": content}


def _answer(shape: str, words: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
