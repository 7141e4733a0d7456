"""Errors as the OpenAI API writes them. Pure: Django's half and the router's both ask here."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

# A state that forbids is no 409 here: SDKs would send it again, and again in vain.
_STATUS = {HTTPStatus.CONFLICT: 400, HTTPStatus.UNPROCESSABLE_ENTITY: 400}
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def is_below(path: str) -> bool:
    """Whether an address is of this door."""
    return path == "/v1" or path.startswith("/v1/")


def status_here(status: int) -> int:
    return _STATUS.get(HTTPStatus(status), int(status))


def type_of(status: int) -> str:
    usual = "server_error" if status >= 500 else "invalid_request_error"
    return _TYPES.get(status, usual)


def error_body(
    status: int, *, code: str, message: str, param: str | None = None, **facts: Any
) -> dict[str, Any]:
    """``facts`` stand beside the four that every SDK reads."""
    four = {"message": message, "type": type_of(status), "param": param, "code": code}
    return {"error": {**facts, **four}}


def further_headers(status: int) -> dict[str, str]:
    """A quota does not come back by asking again at once, which is what SDKs would do."""
    return {"x-should-retry": "false"} if status == 429 else {}
