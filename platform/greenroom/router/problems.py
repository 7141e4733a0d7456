"""Problem details (RFC 9457) for the answers that never reach Django."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from core.errors import TITLES, Kind
from greenroom.openai.errors import error_body, further_headers, is_below, status_here
from greenroom.router.exchange import Exchange, Headers

_LINGER_S = 2.0


class Unavailable(Exception):
    """The database does not answer now. The router turns it into NOT_READY."""


@dataclass(frozen=True)
class Problem:
    """The same shape as the API's. `detail` is for people, `code` for programs."""

    status: HTTPStatus
    code: str
    title: str | Promise
    detail: str | Promise
    headers: tuple[tuple[str, str], ...] = field(default=())
    param: str | None = None  # of the address, where one of them is wrong; told at /v1

    def content(self, request_id: str) -> bytes:
        shape = {
            "type": "about:blank",
            "title": str(self.title),
            "status": int(self.status),
            "detail": str(self.detail),
            "code": self.code,
        }
        if self.status != HTTPStatus.NOT_FOUND:  # absent and not yours are the same bytes
            shape["request_id"] = request_id
        return json.dumps(shape, ensure_ascii=False).encode()

    def all_headers(self) -> Headers:
        return [
            ("Content-Type", "application/problem+json"),
            ("Cache-Control", "no-store"),
            *self.headers,
        ]


_REFUSED = TITLES[Kind.INVALID]
_OUR_FAULT = gettext_lazy("Something went wrong here.")

BAD_HOST = Problem(
    HTTPStatus.BAD_REQUEST, "bad_host", _REFUSED, gettext_lazy("This address is not served here.")
)
BAD_REQUEST = Problem(
    HTTPStatus.BAD_REQUEST, "bad_request", _REFUSED, gettext_lazy("This request cannot be read.")
)
CREDENTIAL_IN_URL = Problem(
    HTTPStatus.BAD_REQUEST,
    "credential_in_url",
    _REFUSED,
    gettext_lazy("A credential never stands in an address. Send it in the Authorization header."),
)
NOT_SIGNED_IN = Problem(
    HTTPStatus.UNAUTHORIZED,
    "not_signed_in",
    TITLES[Kind.ANONYMOUS],
    gettext_lazy("Sign in, or send a valid token."),
    headers=(("WWW-Authenticate", 'Bearer realm="greenroom"'),),
)
WRONG_SCOPE = Problem(
    HTTPStatus.FORBIDDEN,
    "wrong_scope",
    TITLES[Kind.FORBIDDEN],
    gettext_lazy("This credential does not carry the scope that this needs."),
)
NOT_FOUND = Problem(
    HTTPStatus.NOT_FOUND,
    "not_found",
    TITLES[Kind.ABSENT],
    gettext_lazy("There is nothing here, or it is not yours to see."),
)
PENDING_REVIEW = Problem(
    HTTPStatus.FORBIDDEN,
    "content_pending_review",
    TITLES[Kind.FORBIDDEN],
    gettext_lazy("You get this file once the clip is approved. Its programme's policy says so."),
)
REJECTED = replace(
    PENDING_REVIEW,
    code="content_rejected",
    detail=gettext_lazy("The clip was not approved, so this file is not opened."),
)
READ_ONLY = Problem(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "method_not_allowed",
    _REFUSED,
    gettext_lazy("This address can only be read."),
    headers=(("Allow", "GET, HEAD"),),
)
GET_ONLY = replace(READ_ONLY, headers=(("Allow", "GET"),))
FILE_GONE = Problem(
    HTTPStatus.GONE,
    "file_gone",
    TITLES[Kind.ABSENT],
    gettext_lazy("This file is no longer there."),
)
FILE_DAMAGED = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "file_damaged",
    _OUR_FAULT,
    gettext_lazy("This file is damaged."),
)
TOO_LARGE = Problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_large",
    _REFUSED,
    gettext_lazy("This is larger than what is accepted here. Nothing was stored."),
    headers=(("Connection", "close"),),
)
TOO_SLOW = Problem(
    HTTPStatus.REQUEST_TIMEOUT,
    "body_too_slow",
    _REFUSED,
    gettext_lazy("The request did not arrive in time. Nothing was stored."),
    headers=(("Connection", "close"),),
)
PUT_ONLY = replace(
    READ_ONLY,
    detail=gettext_lazy("This address takes a file, by PUT."),
    headers=(("Allow", "PUT"),),
)
LEASE_LOST = Problem(
    HTTPStatus.CONFLICT,
    "lease_lost",
    TITLES[Kind.CONFLICT],
    gettext_lazy("This attempt does not have its job any more. Nothing was stored."),
)
LENGTH_MISSING = Problem(
    HTTPStatus.LENGTH_REQUIRED,
    "length_missing",
    _REFUSED,
    gettext_lazy("Say how long the file is, in Content-Length."),
    headers=(("Connection", "close"),),
)
DIGEST_MISSING = Problem(
    HTTPStatus.BAD_REQUEST,
    "digest_missing",
    _REFUSED,
    gettext_lazy("Say the file's SHA-256, in Content-Digest."),
)
DIGEST_WRONG = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "digest_wrong",
    _REFUSED,
    gettext_lazy("What arrived has another SHA-256 than was said. Nothing was stored."),
)
FILE_DIFFERS = Problem(
    HTTPStatus.CONFLICT,
    "file_differs",
    TITLES[Kind.CONFLICT],
    gettext_lazy("Another file stands at this place already. It stays."),
)
STORAGE_FULL = Problem(
    HTTPStatus.INSUFFICIENT_STORAGE,
    "storage_full",
    TITLES[Kind.FULL],
    gettext_lazy("There is no room left on this house's disk. Nothing was kept."),
)
EVENT_ID_INVALID = Problem(
    HTTPStatus.BAD_REQUEST,
    "event_id_invalid",
    _REFUSED,
    gettext_lazy(
        "This Last-Event-ID is none of ours. Send one that a stream gave, or none to begin anew."
    ),
)
TOO_MANY_STREAMS = Problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_streams",
    TITLES[Kind.EXHAUSTED],
    gettext_lazy("Too many live connections are open with this credential."),
    headers=(("Retry-After", "15"),),
)
BROKEN = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    _OUR_FAULT,
    gettext_lazy("The fault is on our side. Nothing was changed; it is safe to try again."),
)
NOT_READY = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "not_ready",
    TITLES[Kind.UNAVAILABLE],
    gettext_lazy("The service is starting, or waits for its database. Try again soon."),
    headers=(("Retry-After", "1"),),
)


async def refuse(exchange: Exchange, problem: Problem) -> None:
    status, headers, content = _told(exchange, problem)
    await exchange.answer(status, headers, content)


async def refuse_a_sender(exchange: Exchange, problem: Problem) -> None:
    """Answer somebody who is still sending.

    Closing at once with bytes unread resets the connection, and the answer is lost with it; so the
    answer goes out whole, what still arrives is thrown away for a moment, and then it ends.
    """
    status, headers, content = _told(exchange, problem)
    await exchange.start(status, [*headers, ("Content-Length", str(len(content)))])
    await exchange.body(content, more=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await exchange.receive()).get("more_body"):
                pass
    await exchange.body(b"")


def _told(exchange: Exchange, problem: Problem) -> tuple[int, Headers, bytes]:
    """As problem details, or at the door /v1 as an error of the OpenAI API."""
    if not is_below(exchange.path):
        return problem.status, problem.all_headers(), problem.content(exchange.request_id)
    status = status_here(problem.status)
    body = error_body(status, code=problem.code, message=str(problem.detail), param=problem.param)
    headers = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        *problem.headers,
        *further_headers(status).items(),
    ]
    return status, headers, json.dumps(body, ensure_ascii=False).encode()
