"""Pages for what went wrong; under /api/ the same as problem details."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from core.errors import Absent, InvalidOrder, NotAllowed, Refusal
from greenroom.api.problems import problem_response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request, "400.html", 400, InvalidOrder("bad_request", _("This request cannot be read."))
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, "403.html", 403, NotAllowed(_("This is not open to you.")))


def absent(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, "404.html", 404, Absent())


def broken(request: HttpRequest) -> HttpResponse:
    return _answer(
        request,
        "500.html",
        500,
        InvalidOrder("internal_error", _("Something broke on our side. Nothing was lost.")),
    )


def _answer(request: HttpRequest, page: str, status: int, refusal: Refusal) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem_response(refusal, status=status)
    return render(request, page, {"refusal": refusal}, status=status)
