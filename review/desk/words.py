"""What the desk says about a case: whose it is, for whom it is not, what a press will do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.clips.models import Clip
from generation.clips.words import generated_note
from generation.jobs.words import extension_lines, style_lines
from review.desk.queries import DeskCounts
from review.submissions.models import Case
from review.submissions.rules import State
from review.submissions.words import due_words, local_time, moment_words, state_words

# Why somebody may not judge a case, in the words of ``review_bar``.
BARS: dict[str, Callable[[], str]] = {
    "own_work": lambda: _("Not for you: your own work"),
    "no_reviewer": lambda: _("Only reviewers take cases"),
    "in_the_chain": lambda: _("Not for you: you decided in this chain"),
    "took_part": lambda: _("Not for you: you took part in it"),
    "declared_conflict": lambda: _("Not for you: you know whoever made it"),
}


def bar_words(bar: str | None, *, is_handed_back: bool = False) -> str:
    """Empty where the reader may take the case."""
    if bar is not None:
        return BARS[bar]()
    return _("You handed it back") if is_handed_back else ""


def standing_words(case: Case, reader_id: UUID, moment: datetime) -> str:
    """Where a case is, by role."""
    if case.state == State.QUEUED:
        return _("It waits, %(due)s.") % {"due": due_words(case.due_at, moment)}
    if case.state != State.CLAIMED:
        return f"{state_words(case.state)}."
    until = {"when": moment_words(case.lease_until or moment, moment)}
    if case.lease_by_id == reader_id:
        return _("It is in your hands until %(when)s.") % until
    return _("Another reviewer has it, until %(when)s at least.") % until


def effect_words(effective_at: datetime, moment: datetime) -> str:
    """When what was pressed counts."""
    if effective_at <= moment:
        return _("The ten seconds are over: it takes effect within moments.")
    clock = date_format(local_time(effective_at), "H:i:s")
    return _("It takes effect at %(clock)s; nobody sees it before.") % {"clock": clock}


def nothing_words(counts: DeskCounts) -> str:
    """Why there was no next case."""
    if not counts.waiting:
        return _("Nothing waits at the moment. The desk is clear.")
    return _(
        "Nothing waits that you may judge: the rest is work you made, took part in, decided on"
        " before or handed back."
    )


def time_left_words(seconds: int) -> str:
    """How long a lease still lasts, to the minute."""
    minutes = max(0, seconds) // 60
    if not minutes:
        return _("less than a minute left")
    return ngettext("%(left)s minute left", "%(left)s minutes left", minutes) % {"left": minutes}


def recipe_words(clip: Clip) -> list[tuple[str, str]]:
    """What made a clip, in a few lines."""
    model = clip.job.model
    rate = str(clip.rate_num) if clip.rate_den == 1 else f"{clip.rate_num}/{clip.rate_den}"
    return [
        (_("Model"), f"{model.name} · {model.revision}"),
        *extension_lines(clip.job),
        *style_lines(clip.job),
        (_("Seed"), str(clip.seed)),
        (_("Size"), _size(clip)),
        (_("Frames"), f"{clip.frames} · {rate}/s"),
    ]


def _size(clip: Clip) -> str:
    size, note = f"{clip.width} × {clip.height}", generated_note(clip)
    return f"{size} ({note})" if note else size


def evidence_kept(evidence: list[dict[str, Any]], prompt: str) -> dict[str, Any]:
    """The evidence of a verdict as it was typed: pairs of frames, and words of the prompt."""
    return {
        "frames": [tuple(piece["frames"]) for piece in evidence if "frames" in piece],
        "quotes": [
            prompt[piece["prompt"][0] : piece["prompt"][1]]
            for piece in evidence
            if "prompt" in piece
        ],
    }
