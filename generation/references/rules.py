"""What is taken as a reference, how much of it, and the words for what is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import InvalidOrder, Kind, Refusal
from core.text import is_readable

LARGEST_BYTES = 20 * 1024 * 1024
MOST_REFERENCES = 100
MOST_BYTES = 500 * 1024 * 1024
LONGEST_NAME = 120
LONGEST_RIGHTS_WORDS = 500
FOLDER = "references"

# So long the files of somebody who left are kept, so that they can still take them along.
KEPT_AFTER_LEAVING = timedelta(days=30)

TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "video/mp4": "mp4"}


class Shape(TextChoices):
    IMAGE = "image", gettext_lazy("Picture")
    CLIP = "clip", gettext_lazy("Short clip")


class Rights(TextChoices):
    """On what ground somebody may use what they send."""

    OWN = "own", gettext_lazy("I made it, and it is mine to use")
    LICENSED = "licensed", gettext_lazy("Somebody else made it and lets me use it like this")
    PUBLIC_DOMAIN = "public_domain", gettext_lazy("Nobody holds rights in it any more")


class Why(TextChoices):
    """Why a reference went."""

    OWNER = "owner", gettext_lazy("by its owner")
    LEFT = "left", gettext_lazy("with its owner's leaving the programme")
    RETENTION = "retention", gettext_lazy("under the programme's terms of retention")
    ERASURE = "erasure", gettext_lazy("with the erasure of its owner's data")


class ReferenceTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    code = "reference_too_large"


class ReferencesFull(Refusal):
    """``asked`` and ``left`` count references or bytes, whichever is full."""

    kind = Kind.EXHAUSTED
    code = "references_full"


def must_fit(count: int, kept_bytes: int, new_bytes: int) -> None:
    """Raises ``ReferencesFull``. The trigger ``reference_law`` counts the same."""
    if count >= MOST_REFERENCES:
        raise ReferencesFull(
            _("You keep %(most)s references, and that is the most. Remove one you no longer need.")
            % {"most": MOST_REFERENCES},
            asked=1,
            left=0,
        )
    left = MOST_BYTES - kept_bytes
    if new_bytes > left:
        raise ReferencesFull(
            _("Your references take up all their room but %(left)s MB, and this one has %(asked)s.")
            % {"left": left // 2**20, "asked": -(-new_bytes // 2**20)},
            asked=new_bytes,
            left=left,
        )


def must_be_some(size: int) -> None:
    if size == 0:
        raise InvalidOrder("reference_empty", _("This file is empty."), field="file")
    if size > LARGEST_BYTES:
        raise ReferenceTooLarge(
            _("This file has %(asked)s MB; %(most)s MB is the most.")
            % {"asked": -(-size // 2**20), "most": LARGEST_BYTES // 2**20},
            field="file",
            asked=size,
            most=LARGEST_BYTES,
        )


def cleaned_name(name: str) -> str:
    """What a file was called, for people: without folders and control signs, never a path."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(sign for sign in last if is_readable(sign))
    return unicodedata.normalize("NFC", " ".join(shown.split()))[:LONGEST_NAME].lstrip(".")


def checked_rights(rights: str, words: str) -> tuple[Rights, str]:
    """The statement of rights. Raises ``InvalidOrder``."""
    if not rights:
        raise InvalidOrder(
            "rights_missing", _("Say why you may use this. Nothing was kept."), field="rights"
        )
    if rights not in Rights.values:
        raise InvalidOrder("rights_unknown", _("Choose one of the grounds."), field="rights")
    said = words.strip()
    if rights == Rights.LICENSED and not said:
        raise InvalidOrder(
            "rights_unsaid", _("Say who lets you use it, and where that is written."),
            field="rights_words",
        )  # fmt: skip
    if len(said) > LONGEST_RIGHTS_WORDS or not is_readable(said, lines=True):
        raise InvalidOrder(
            "rights_unreadable",
            _("Use up to %(most)s readable characters.") % {"most": LONGEST_RIGHTS_WORDS},
            field="rights_words",
        )
    return Rights(rights), said


_SENTENCES: dict[str, Callable[[], str]] = {
    "reference_type_unknown": lambda: _(
        "This is no PNG, JPEG, WebP or MP4, whatever its name says."
    ),
    "reference_damaged": lambda: _("This file is damaged or cut off, so it cannot be read."),
    "reference_animated": lambda: _("This picture moves. Send a still picture, or an MP4."),
    "reference_too_small": lambda: _(
        "This has %(width)s × %(height)s pixels; each side needs %(least)s at least."
    ),
    "reference_too_many_pixels": lambda: _(
        "This has %(width)s × %(height)s pixels, more than can be read here. Send a smaller one."
    ),
    "reference_without_picture": lambda: _("There are no moving pictures in this file."),
    "reference_too_long": lambda: _("A clip has at most %(most_s)s seconds. Send a shorter part."),
    "reference_too_heavy": lambda: _(
        "Reading this file took too much, so it was given up. Send a smaller one."
    ),
}


def intake_refusal(code: str, facts: dict[str, Any]) -> InvalidOrder:
    return InvalidOrder(code, _SENTENCES[code]() % facts, field="file", **facts)
