"""What every answer of Django passes through, outermost first."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone

from accounts.credentials.queries import actor_by_session
from accounts.profile.choices import TIME_ZONE
from core.errors import Refusal
from core.trace import request_id
from greenroom.headers import security_headers
from greenroom.portal.errors import full, say_not_allowed
from greenroom.portal.place import place_of_session
from greenroom.router import is_body_lost, note_credential

Next = Callable[[HttpRequest], HttpResponse]


def RequestId(answer: Next) -> Next:  # noqa: N802  (Django names middleware like classes)
    """The router made the id and returns it; here it only reaches logs and audit rows."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = request_id.set(request.META.get("HTTP_X_REQUEST_ID", ""))
        try:
            return answer(request)
        finally:
            request_id.reset(token)

    return middleware


def Room(answer: Next) -> Next:  # noqa: N802
    """A request whose body found no room on the disk goes no further: it would look like one that
    was sent empty."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return full(request) if is_body_lost(request.META) else answer(request)

    return middleware


def SecurityHeaders(answer: Next) -> Next:  # noqa: N802
    headers = security_headers(settings.MODE)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        for name, value in headers:
            response.headers.setdefault(name, value)
        if request.path.startswith(settings.STATIC_URL):
            return response
        # What is on a page is its reader's alone.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def Actor(answer: Next) -> Next:  # noqa: N802
    """Asks the credential's row who this session is; a session that ended is signed out here."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]  # read through doors.PortalRequest
        if request.user.is_authenticated:
            cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
            person = actor_by_session(cookie)
            if person is None:
                logout(request)
            else:
                request.actor = place_of_session(  # type: ignore[attr-defined]
                    request, person
                )
                note_credential(request.META, person.key_id)
        with timezone.override(_time_zone(request)):
            return answer(request)

    return middleware


def _time_zone(request: HttpRequest) -> str | None:
    """The person's own, else the programme's; None (the platform's) for who is not signed in."""
    if request.actor is None:  # type: ignore[attr-defined]
        return None
    programme = request.programme  # type: ignore[attr-defined]
    return request.session.get(TIME_ZONE) or (programme.time_zone if programme else None)


class Refusals:
    """A refusal that a page let pass becomes a page with its sentence and its status, and so does
    a method that an address does not know: Django's own answer to that is blank."""

    def __init__(self, answer: Next) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            say_not_allowed(request, response)
        return response

    def process_exception(self, request: HttpRequest, refusal: Exception) -> HttpResponse | None:
        if not isinstance(refusal, Refusal):
            return None
        return render(
            request,
            "404.html" if refusal.http_status == 404 else "refusal.html",
            {"refusal": refusal},
            status=refusal.http_status,
        )
