"""Terms of storage as sentences, the same for everybody who reads them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.retention.models import RetentionVersion


def unlimited_words() -> str:
    """How long files are kept where the terms name no number of days."""
    return _("for as long as the programme runs")


def retention_sentences(terms: RetentionVersion) -> list[str]:
    return [
        _kept(_("A draft that was never put forward"), terms.draft_days),
        _kept(_("A clip that was put forward and not released"), terms.unreleased_days),
        _kept(_("A released clip"), terms.released_days),
        ngettext(
            "Before a file goes its owner is warned %(count)s day ahead.",
            "Before a file goes its owner is warned %(count)s days ahead.",
            terms.warning_days,
        )
        % {"count": terms.warning_days},
        ngettext(
            "Books, and what they rest on, are kept for %(count)s year.",
            "Books, and what they rest on, are kept for %(count)s years.",
            terms.books_years,
        )
        % {"count": terms.books_years},
    ]


def _kept(what: Any, days: int | None) -> str:
    if days is None:
        return _("%(what)s is kept %(how_long)s.") % {
            "what": what,
            "how_long": unlimited_words(),
        }
    return ngettext(
        "%(what)s is kept for %(count)s day.", "%(what)s is kept for %(count)s days.", days
    ) % {"what": what, "count": days}
