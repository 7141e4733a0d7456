"""Why staff may open somebody else's clip, in words for both sides."""

from __future__ import annotations

from django.utils.translation import gettext as _

# One entry per reason of generation.clips.rules; the owner reads these words.
REASONS = {
    "asked": lambda: _("The maker asked me to look"),
    "fault": lambda: _("To find out what went wrong technically"),
    "safety": lambda: _("A concern about safety"),
    "audit": lambda: _("An audit of the programme"),
}

ROLES = {
    "tester": lambda: _("A tester"),
    "reviewer": lambda: _("A reviewer"),
    "manager": lambda: _("A programme manager"),
    "finance": lambda: _("Somebody from finance"),
    "auditor": lambda: _("An auditor"),
}


def why_words(why: str) -> str:
    words = REASONS.get(why)
    return words() if words else why


def role_words(role: str) -> str:
    words = ROLES.get(role)
    return words() if words else role
