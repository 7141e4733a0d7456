"""What becomes of a clip's files, in words for its owner."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from review.retention.rules import State

# What keeps the files, by what the clip is now.
WAYS_OUT: dict[str, Callable[[], str]] = {
    State.DRAFT: lambda: _("Put the clip forward to keep them."),
    State.UNRELEASED: lambda: _(
        "Release the clip, or appeal where it was declined, to keep them. You can also download"
        " them."
    ),
    State.RELEASED: lambda: _(
        "The release ends with them. You can download them before; releasing the clip again gives"
        " it new time."
    ),
}


def way_out(state: State) -> str:
    return WAYS_OUT[state]()
