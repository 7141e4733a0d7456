"""The mail of the demonstration, for whoever looks after it: nothing leaves the house there, and
an invitation is of no use to somebody who cannot read it. Managers read their programme's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from accounts.credentials.doors import PortalRequest, only_for
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from core.errors import Absent
from greenroom.headers import CONTENT_SECURITY_POLICY
from greenroom.mailbox.queries import letter_kept, letters_kept

READERS = (Role.MANAGER, ADMINISTRATOR)
FRAMING = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
# A mail brings its own style and nothing else; it is looked at in a frame of ours alone.
OF_A_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _in_the_demonstration(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(page)
    def guarded(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.MODE != "demo":
            raise Absent
        return page(request, *args, **kwargs)

    return guarded


@require_GET
@only_for(*READERS)
@_in_the_demonstration
def mailbox(request: PortalRequest) -> HttpResponse:
    return render(
        request, "greenroom/mailbox/mailbox.html", {"letters": letters_kept(request.actor)}
    )


@require_GET
@only_for(*READERS)
@_in_the_demonstration
def letter_page(request: PortalRequest, letter: str) -> HttpResponse:
    kept = letter_kept(request.actor, letter)
    answer = render(request, "greenroom/mailbox/letter.html", {"letter": kept})
    answer.headers["Content-Security-Policy"] = FRAMING
    return answer


@require_GET
@only_for(*READERS)
@_in_the_demonstration
def letter_html(request: PortalRequest, letter: str) -> HttpResponse:
    answer = HttpResponse(letter_kept(request.actor, letter).html)
    answer.headers["Content-Security-Policy"] = OF_A_MAIL
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


urlpatterns = [
    path("mailbox", mailbox, name="mailbox"),
    path("mailbox/<str:letter>", letter_page, name="mailbox-letter"),
    path("mailbox/<str:letter>/html", letter_html, name="mailbox-html"),
]
