"""What a policy says beside its clauses, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from generation.clips.rules import Allows

FILES_BEFORE: dict[Allows, Callable[[], str]] = {
    Allows.CLIP: lambda: _("Whoever made a clip gets all its files as soon as it is made."),
    Allows.PREVIEW: lambda: _(
        "Before a clip is approved, whoever made it gets a light copy and pictures of it; then the"
        " clip itself."
    ),
    Allows.PICTURES: lambda: _(
        "Before a clip is approved, whoever made it gets pictures of it; then the clip itself."
    ),
}


def files_before_sentence(allows: str) -> str:
    return FILES_BEFORE[Allows(allows)]()
