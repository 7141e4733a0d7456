"""Every refusal of the API as problem details (RFC 9457).

``core.errors`` says what a refusal means in HTTP; what DRF and Django raise on their own gets a
code here. A 404 holds nothing that differs between absent and not yours, not even a request id.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from core.api import Endpoint
from core.errors import (
    TITLES,
    Absent,
    Anonymous,
    InvalidOrder,
    Kind,
    NotAllowed,
    NotReady,
    Refusal,
    StorageFull,
    is_storage_full,
)
from core.trace import request_id
from greenroom.api.authentication import CHALLENGE

log = logging.getLogger("greenroom.api")

MEDIA_TYPE = "application/problem+json"

# When it is worth asking again. Quota comes back as jobs end; an engine is installed in minutes.
RETRY_AFTER_S = {Kind.EXHAUSTED: 60, Kind.UNAVAILABLE: 15}

# DRF's codes of a field, in the words of this API.
FIELD_CODES = {
    "moment_out_of_range": "moment_out_of_range",
    "image_url_not_fetched": "image_url_not_fetched",
    "image_url_unreadable": "image_url_unreadable",
    "required": "field_missing",
    "unknown": "field_unknown",
    "invalid_choice": "choice_unknown",
    "max_value": "out_of_range",
    "min_value": "out_of_range",
    "max_length": "out_of_range",
    "min_length": "out_of_range",
    "max_string_length": "out_of_range",
}


def answer_for(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's ``EXCEPTION_HANDLER``. Never None: an unexpected error is logged and says nothing."""
    refusal = _refusal(exc)
    if refusal is not None:
        return _answer(refusal)
    if isinstance(exc, exceptions.ValidationError):
        return _fields(exc)
    if isinstance(exc, exceptions.APIException):
        return _of_drf(exc)
    view = context.get("view")
    log.error("request_failed", exc_info=exc, extra={"view": type(view).__name__})
    return _problem(
        500,
        "internal_error",
        title=_("Something went wrong here."),
        detail=_("The fault is on our side. Nothing was changed; it is safe to try again."),
    )


def words_of(status: int) -> str:
    """What a status of this API means, for its description."""
    return {
        400: _("The request cannot be read."),
        401: _("No valid token or session came with it."),
        403: _("The credential lacks the scope, or you may not do this."),
        404: _("There is nothing there, or it is not yours."),
        409: _("The state does not allow it any more."),
        413: _("The body is larger than what is accepted."),
        422: _("Some input is wrong; the problem names the fields. Nothing was done."),
        429: _("A budget or a rate is used up; Retry-After says when to ask again."),
        503: _("Something that this needs is not ready; Retry-After says when to ask again."),
        507: _("The disk of the house is full. Nothing was kept."),
    }[status]


def _refusal(exc: Exception) -> Refusal | None:
    match exc:
        case Refusal():
            return exc
        case Http404() | exceptions.NotFound():
            return Absent()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Anonymous()
        case PermissionDenied() | exceptions.PermissionDenied():
            return NotAllowed(_("This is not open to you."))
        case OperationalError() | InterfaceError() | OSError():
            return _of_the_machine(exc)
    return None


def _of_the_machine(exc: Exception) -> Refusal | None:
    if is_storage_full(exc):
        log.error("storage_full", exc_info=exc)
        return StorageFull()
    if isinstance(exc, OSError):
        return None
    log.warning("database_unavailable", exc_info=exc)
    return NotReady("not_ready", _("The database does not answer at the moment."))


def _answer(refusal: Refusal) -> Response:
    facts = dict(refusal.facts)
    if refusal.field is not None:
        facts["errors"] = [_error(refusal.field, refusal.code, refusal.sentence)]
    response = _problem(
        refusal.http_status,
        refusal.code,
        title=TITLES[refusal.kind],
        detail=refusal.sentence,
        facts=facts,
    )
    if refusal.kind in RETRY_AFTER_S:
        response.headers["Retry-After"] = str(RETRY_AFTER_S[refusal.kind])
    if refusal.kind is Kind.ANONYMOUS:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _fields(exc: exceptions.ValidationError) -> Response:
    errors = [
        _error(field, FIELD_CODES.get(detail.code or "", "wrong_type"), str(detail))
        for field, detail in _leaves(exc.detail)
    ]
    sentence = _("Some fields cannot be read. Nothing was done.")
    refusal = InvalidOrder("fields_invalid", sentence, errors=errors)
    return _answer(refusal)


def _of_drf(exc: exceptions.APIException) -> Response:
    codes = exc.get_codes()
    names = {
        "method_not_allowed": "method_not_allowed",
        "unsupported_media_type": "media_type_unsupported",
        "parse_error": "body_unreadable",
    }
    code = names.get(codes, "refused") if isinstance(codes, str) else "refused"
    return _problem(
        exc.status_code, code, title=_("This request cannot be taken."), detail=str(exc.detail)
    )


def problem_response(refusal: Refusal, *, status: int) -> HttpResponse:
    """The same outside DRF, for Django's own error handlers. ``status`` wins over the kind's."""
    body = {**_answer(refusal).data, "status": status}
    if status >= 500 and status != refusal.http_status:
        body["title"] = _("Something went wrong here.")
    return HttpResponse(JSONRenderer().render(body), status=status, content_type=MEDIA_TYPE)


def _problem(
    status: int, code: str, *, title: Any, detail: str, facts: Mapping[str, Any] | None = None
) -> Response:
    body = {
        **(facts or {}),
        "type": "about:blank",
        "title": str(title),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if status != 404:
        body["request_id"] = request_id.get()
    return Response(body, status=status, content_type=MEDIA_TYPE)


def _error(field: str, code: str, message: str) -> dict[str, str]:
    return {"field": field, "code": code, "message": message}


def _leaves(detail: Any, field: str = "") -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    """DRF nests its errors like the body; here each has the path of its field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _leaves(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _leaves(inner, field)
    else:
        yield field, detail


class Nothing(Endpoint):
    """Addresses below /api/v1 that nobody serves: the same 404 as an absent thing."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = ()
    schema = None

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise Absent
