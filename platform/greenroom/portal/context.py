"""What every template may name."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.notices.queries import unread_count
from accounts.profile.choices import THEME_COOKIE
from accounts.programmes.words import ROLE_WORDS
from greenroom.portal.rooms import own_rooms, rooms


def place(request: HttpRequest) -> dict[str, Any]:
    """``programme``, the ``places`` one may choose from, ``actor``, their roles in words,
    ``rooms``, ``theme`` and whether this is the demonstration."""
    return {
        "actor": getattr(request, "actor", None),
        "role_words": [words for role, words in ROLE_WORDS.items() if role in _roles(request)],
        "programme": getattr(request, "programme", None),
        "places": getattr(request, "places", []),
        # Asked only where a page has its top.
        "unread": SimpleLazyObject(partial(_unread, request)),
        "rooms": partial(rooms, request),
        "own_rooms": partial(own_rooms, request),
        "theme": request.COOKIES.get(THEME_COOKIE, "system"),
        "is_demonstration": settings.MODE == "demo",
        "languages": settings.LANGUAGES,
        "openid_name": settings.OPENID["name"] if settings.OPENID else "",
    }


def _unread(request: HttpRequest) -> int:
    actor = getattr(request, "actor", None)
    return unread_count(actor.party_id) if actor else 0


def _roles(request: HttpRequest) -> frozenset[str]:
    actor = getattr(request, "actor", None)
    return actor.roles if actor else frozenset()
