"""Pages for what went wrong; under /api/ the same as problem details, under /v1/ as its errors."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.translation import gettext as _

from core.errors import (
    Absent,
    InvalidOrder,
    NotAllowed,
    Refusal,
    StorageFull,
    is_storage_full,
)
from greenroom.api.problems import problem_response
from greenroom.openai.errors import is_below
from greenroom.openai.handler import error_response
from greenroom.portal.rooms import own_rooms, rooms

log = logging.getLogger("greenroom.portal")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request, "400.html", 400, InvalidOrder("bad_request", _("This request cannot be read."))
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, "403.html", 403, NotAllowed(_("This is not open to you.")))


def absent(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, "404.html", 404, Absent())


def broken(request: HttpRequest) -> HttpResponse:
    if is_storage_full(sys.exception()):  # an upload is put aside before any view is asked
        return full(request)
    return _answer(
        request,
        "500.html",
        500,
        InvalidOrder("internal_error", _("Something broke on our side. Nothing was lost.")),
    )


def full(request: HttpRequest) -> HttpResponse:
    """No room for what was sent; like ``broken`` it asks nobody anything."""
    log.error("storage_full")
    return _answer(request, "507.html", 507, StorageFull())


def say_not_allowed(request: HttpRequest, blank: HttpResponseNotAllowed) -> None:
    """Fill Django's blank answer: the address of a button was opened like a page, after signing in
    again or from a bookmark. Leads to the reader's room that it hangs in, where there is one."""
    refusal = InvalidOrder("method_not_allowed", _("The address does not know this method."))
    room = next((each for each in [*rooms(request), *own_rooms(request)] if each.here), None)
    page = _answer(request, "405.html", 405, refusal, room=room)
    # Status, ``Allow`` and that it was logged stay with the answer.
    blank.content, blank["Content-Type"] = page.content, page["Content-Type"]


def _answer(
    request: HttpRequest, page: str, status: int, refusal: Refusal, **shown: Any
) -> HttpResponse:
    if is_below(request.path):
        return error_response(refusal, status=status)
    if request.path.startswith("/api/"):
        return problem_response(refusal, status=status)
    return render(request, page, {"refusal": refusal, **shown}, status=status)
