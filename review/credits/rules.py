"""Roles and forms of a credit line, and the moves of an answer."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CreditRole(TextChoices):
    """What somebody did for a clip, in the words of the trade."""

    MAKER = "maker", _("Made by")
    WRITER = "writer", _("Written by")
    DIRECTOR = "director", _("Directed by")
    EDITOR = "editor", _("Edited by")
    STYLE = "style", _("Style by")
    COMPOSER = "composer", _("Music by")
    PERFORMER = "performer", _("Performed by")


class DisplayForm(TextChoices):
    """How somebody is named in public: their own choice, at any time."""

    NONE = "none", _("Without a name")
    PSEUDONYM = "pseudonym", _("By my credit name")
    NAME = "name", _("By my name")


class State(TextChoices):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Move(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"


# The trigger credit_line_law says the same. Somebody may change their mind, either way.
MOVES: dict[tuple[State, Move], State] = {
    (State.PROPOSED, Move.ACCEPT): State.ACCEPTED,
    (State.PROPOSED, Move.DECLINE): State.DECLINED,
    (State.ACCEPTED, Move.DECLINE): State.DECLINED,
    (State.DECLINED, Move.ACCEPT): State.ACCEPTED,
}
