"""What a style may be: its states, its weights, and the words it is described with."""

from __future__ import annotations

import math
import re
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import InvalidOrder
from core.text import is_readable
from generation.engines.order import STYLE_WEIGHT_LIMIT

FOLDER = "styles"
MOST_STYLES = 3
LONGEST_NAME = 120
LONGEST_WORDS = 300
WIDEST = STYLE_WEIGHT_LIMIT
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class State(TextChoices):
    ADDED = "added", gettext_lazy("Added")
    OFFERED = "offered", gettext_lazy("Offered")
    RETIRED = "retired", gettext_lazy("Retired")


class Move(StrEnum):
    OFFER = "offer"
    RETIRE = "retire"


# The trigger generation_style_law says the same.
MOVES: dict[tuple[State, Move], State] = {
    (State.ADDED, Move.OFFER): State.OFFERED,
    (State.ADDED, Move.RETIRE): State.RETIRED,
    (State.OFFERED, Move.RETIRE): State.RETIRED,
}


def checked_slug(slug: str) -> str:
    if not _SLUG.fullmatch(slug):
        raise InvalidOrder(
            "slug_invalid",
            _("A style's short name has lower-case letters, digits and dashes, 64 at most."),
            field="slug",
        )
    return slug


def checked_words(text: str, *, field: str, longest: int, is_needed: bool = True) -> str:
    """Trimmed. Raises ``InvalidOrder`` naming the field."""
    words = text.strip()
    if is_needed and not words:
        raise InvalidOrder(
            "text_missing", _("Say what a style is called and what it does."), field=field
        )
    if len(words) > longest or not is_readable(words):
        raise InvalidOrder(
            "text_invalid",
            _("Use up to %(most)s readable characters, on one line.") % {"most": longest},
            field=field,
            most=longest,
        )
    return words


def checked_weights(usual: float, least: float, most: float) -> None:
    """The usual weight lies in the permitted range, which engines can take, and does something."""
    is_number = all(map(math.isfinite, (usual, least, most)))
    if not is_number or not -WIDEST <= least <= usual <= most <= WIDEST or usual == 0:
        raise InvalidOrder(
            "style_weights_invalid",
            _(
                "A style's usual weight is not 0 and lies in its range; the range lies between"
                " -%(widest)g and %(widest)g."
            )
            % {"widest": WIDEST},
            field="weight",
        )
