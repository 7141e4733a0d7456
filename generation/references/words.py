"""References in words: what one is called, how long it is, and what a clip shows of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.ids import shown
from generation.references.models import Reference, ReferenceStill
from generation.references.rules import Rights


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture at a frame of a clip. ``url`` and ``name`` are empty for whoever is not its owner,
    and ``url`` for what was removed."""

    where: str
    strength: float
    url: str
    name: str
    width: int
    height: int
    rights_label: str
    rights_words: str
    sha256: str


def shown_name(reference: Reference) -> str:
    return reference.name or _("Without a name")


def length_words(reference: Reference) -> str:
    """Of a clip, in seconds; empty for a picture."""
    if not reference.rate_num:
        return ""
    return f"{reference.frames * reference.rate_den / reference.rate_num:.1f} s"


def frame_words(frame: int, frames: int) -> str:
    if frame == 0:
        return _("First frame")
    if frame == frames - 1:
        return _("Last frame")
    return _("Frame %(number)s") % {"number": frame}


def shown_picture(
    reference: Reference,
    still: ReferenceStill,
    *,
    frame: int,
    frames: int,
    strength: float,
    is_mine: bool,
) -> ShownPicture:
    public_id = shown("reference", reference.id)
    which = "end" if still.frame and still.frame == reference.frames - 1 else "picture"
    is_served = is_mine and reference.removed_at is None
    # Of a clip's frames in between, no address serves the picture.
    is_served = is_served and still.frame in (0, reference.frames - 1)
    return ShownPicture(
        where=frame_words(frame, frames),
        strength=strength,
        url=f"/references/{public_id}/{which}" if is_served else "",
        name=shown_name(reference) if is_mine else "",
        width=still.width,
        height=still.height,
        rights_label=str(Rights(reference.rights).label),
        rights_words=reference.rights_words,
        sha256=still.sha256,
    )
