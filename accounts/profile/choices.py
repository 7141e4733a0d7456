"""Theme and language, kept in cookies, so that the page before the sign-in has them too."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse

THEME_COOKIE = "theme"
TIME_ZONE = "time_zone"  # in the session: the middleware asks on every request
CHOSEN = "programme"  # in the session: in which of one's programmes one stands
ONE_YEAR = int(timedelta(days=365).total_seconds())


def remember(response: HttpResponse, *, theme: str = "", language: str = "") -> None:
    """Put what was chosen into the browser; an empty choice leaves what is there."""
    if theme:
        _keep(response, THEME_COOKIE, theme)
    if language:
        _keep(response, settings.LANGUAGE_COOKIE_NAME, language)


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, ONE_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
