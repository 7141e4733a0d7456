"""Who looked and why, in words for the owner."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from generation.clips.rules import Why

ROLES: dict[str, Callable[[], str]] = {
    "reviewer": lambda: _("A reviewer"),
    "manager": lambda: _("A programme manager"),
    "auditor": lambda: _("An auditor"),
}


def why_words(why: str) -> str:
    return str(Why(why).label) if why in Why.values else why


def role_words(role: str) -> str:
    words = ROLES.get(role)
    return words() if words else role
