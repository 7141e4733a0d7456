"""What a model makes, in words for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

MOST_NAMED = 12


def generated_words(width: int, height: int, generated: tuple[int, int]) -> str:
    """How the file differs from what the model made; empty where it does not."""
    if generated == (width, height):
        return ""
    facts = {"w": generated[0], "h": generated[1], "width": width, "height": height}
    if width > generated[0] or height > generated[1]:
        return _("generated at %(w)s × %(h)s, resized to %(width)s × %(height)s") % facts
    return _("generated at %(w)s × %(h)s") % facts


def windows_words(recipe: dict[str, Any]) -> str:
    """How a clip was put together that is longer than its model makes at a time."""
    windows = recipe.get("windows")
    if not windows:
        return ""
    return _(
        "Made in %(count)s windows of %(frames)s frames, each beginning with the last frame of the"
        " one before."
    ) % {"count": windows["count"], "frames": windows["frames"]}


def unknown_sentence(words: Sequence[str]) -> str:
    """Of words in a prompt that its model does not know; empty where there are none."""
    if not words:
        return ""
    named = ", ".join(words[:MOST_NAMED]) + (" …" if len(words) > MOST_NAMED else "")
    return _("This model does not know: %(words)s. It may ignore them.") % {"words": named}
