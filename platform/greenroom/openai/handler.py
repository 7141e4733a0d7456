"""What an endpoint of this door raises, in the OpenAI form: the native problem, translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from core.errors import Refusal, Unreadable
from greenroom.api.problems import answer_for as native_answer_for
from greenroom.api.problems import problem_response
from greenroom.openai.errors import error_body, further_headers, status_here

# What the native problem says of itself; the rest are facts of the refusal.
_OF_THE_PROBLEM = frozenset({"type", "title", "status", "detail", "code", "request_id", "errors"})


def answer_for(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler for this door."""
    if isinstance(exc, SuspiciousOperation):  # more fields or bytes than a form may have
        exc = Unreadable(_("The form has more fields than can be read."))
    problem = native_answer_for(exc, context)
    status = status_here(problem.status_code)
    answer = Response(_translated(problem.data, status), status=status)
    for name in ("Retry-After", "WWW-Authenticate"):
        if name in problem.headers:
            answer.headers[name] = problem.headers[name]
    for name, value in further_headers(status).items():
        answer.headers[name] = value
    return answer


def error_response(refusal: Refusal, *, status: int) -> HttpResponse:
    """The same outside DRF, for Django's own error handlers."""
    native = problem_response(refusal, status=status)
    here = status_here(status)
    body = error_body(here, code=refusal.code, message=refusal.sentence, param=refusal.field)
    return HttpResponse(
        JSONRenderer().render(body),
        status=here,
        content_type="application/json",
        headers={"Retry-After": native["Retry-After"]} if "Retry-After" in native else None,
    )


def _translated(problem: Mapping[str, Any], status: int) -> dict[str, Any]:
    facts = {name: value for name, value in problem.items() if name not in _OF_THE_PROBLEM}
    wrong = problem.get("errors") or []
    if not wrong:
        return error_body(status, code=problem["code"], message=problem["detail"], **facts)
    first = wrong[0]
    if len(wrong) > 1:  # SDKs show one message; the others must not be lost
        facts["errors"] = wrong
    # DRF's word for what is wrong with an object as a whole.
    param = first["field"].removesuffix("non_field_errors").rstrip(".") or None
    return error_body(status, code=first["code"], message=first["message"], param=param, **facts)
