"""The rooms in the navigation: those that somebody's roles open, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from review.retention.rules import ROLES_OF_STORAGE


@dataclass(frozen=True, slots=True)
class Room:
    """``roles`` None: everybody's who is signed in."""

    page: str
    words: Promise
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A room as the page shows it. ``here``: ``page`` for the very page, ``true`` for one below."""

    url: str
    words: Promise
    here: str


TESTERS = frozenset({Role.TESTER})
SETTING_UP = frozenset({Role.MANAGER, ADMINISTRATOR})
WORK = [
    Room("studio", _("Studio")),
    Room("new-clip", _("New clip"), TESTERS),
    Room("references", _("References"), TESTERS),
    Room("submissions", _("Put forward"), TESTERS),
    Room("contributions", _("Contributions"), TESTERS),
    Room("earnings", _("Earnings"), TESTERS),
    Room("desk", _("Desk"), frozenset({Role.REVIEWER, Role.MANAGER, Role.AUDITOR})),
    Room("to-triage", _("To triage"), frozenset({Role.REVIEWER, Role.MANAGER})),
    Room("conversations", _("Conversations"), frozenset({Role.MANAGER})),
    Room("finance", _("Finance"), frozenset({Role.FINANCE, Role.MANAGER, Role.AUDITOR})),
    # Whoever sets a programme up finds it there; an auditor has no such room.
    Room("storage", _("Storage"), ROLES_OF_STORAGE - SETTING_UP),
    Room("setup", _("Set-up"), SETTING_UP),
    Room("people", _("People"), frozenset({Role.MANAGER, ADMINISTRATOR, Role.AUDITOR})),
    Room("showcase", _("Showcase")),
]
OWN = [
    Room("credits", _("Credits")),
    Room("agreement", _("Agreement")),
    Room("consents", _("Consents")),
    Room("tokens", _("Tokens")),
    Room("settings", _("Settings")),
]
OF_THE_DEMONSTRATION = [Room("mailbox", _("Mailbox"), frozenset({Role.MANAGER, ADMINISTRATOR}))]
OPEN = [Room("showcase", _("Showcase")), Room("programmes", _("Programmes"))]


def rooms(request: HttpRequest) -> list[Door]:
    """Where one works; for who is not signed in, what is open to everybody."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return [_door(room, request.path) for room in OPEN]
    mine = [room for room in WORK if room.roles is None or room.roles & actor.roles]
    return [_door(room, request.path) for room in mine]


def own_rooms(request: HttpRequest) -> list[Door]:
    actor = getattr(request, "actor", None)
    roles = actor.roles if actor else frozenset()
    there = [*OWN, *OF_THE_DEMONSTRATION] if settings.MODE == "demo" else OWN
    mine = [room for room in there if room.roles is None or room.roles & roles]
    return [_door(room, request.path) for room in mine]


def _door(room: Room, path: str) -> Door:
    url = reverse(room.page)
    if path == url:
        return Door(url, room.words, "page")
    return Door(url, room.words, "true" if path.startswith(f"{url}/") else "")
