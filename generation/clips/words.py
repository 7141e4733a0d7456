"""Who looked and why, in words for the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from generation.clips.rules import Why
from generation.jobs import words as of_jobs

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


def record_sentence(kind: str, facts: dict[str, Any]) -> str:
    """One line of the record of a clip and its job."""
    if kind == "viewing.begun":
        return _("Opened it. Reason: %(why)s.") % {"why": why_words(str(facts.get("why", "")))}
    return of_jobs.record_sentence(kind, facts)
