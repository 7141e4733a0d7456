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
    "public": lambda: _("The public"),
}

# How a file that its owner released was come by; nobody says why then.
WAYS: dict[str, Callable[[], str]] = {
    "showcase": lambda: _("on the showcase"),
    "link": lambda: _("by a link"),
}


def why_words(why: str) -> str:
    if why in WAYS:
        return WAYS[why]()
    return str(Why(why).label) if why in Why.values else why


def role_words(role: str) -> str:
    words = ROLES.get(role)
    return words() if words else role


def duration_text(frames: int, num: int, den: int) -> str:
    """Seconds with one decimal below a minute, then minutes and seconds."""
    seconds = frames * den / num
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"


def record_sentence(kind: str, facts: dict[str, Any]) -> str:
    """One line of the record of a clip and its job."""
    if kind == "viewing.begun":
        return _("Opened it. Reason: %(why)s.") % {"why": why_words(str(facts.get("why", "")))}
    return of_jobs.record_sentence(kind, facts)
