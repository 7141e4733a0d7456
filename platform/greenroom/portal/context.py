"""What every template may name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.profile.choices import THEME_COOKIE


def place(request: HttpRequest) -> dict[str, Any]:
    """``programme``, ``actor``, ``theme`` and whether this is the demonstration."""
    return {
        "actor": getattr(request, "actor", None),
        "programme": getattr(request, "programme", None),
        "theme": request.COOKIES.get(THEME_COOKIE, "system"),
        "is_demonstration": settings.MODE == "demo",
        "languages": settings.LANGUAGES,
    }
