"""Sentences for the states and ends of a job. Codes are for programs, these are for people."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.ids import shown
from generation.jobs.extensions import Extended
from generation.jobs.models import Job
from generation.jobs.queries import conditions_of, job_styles_of
from generation.references.words import ShownPicture, shown_picture

FAILURES: dict[str, Callable[[], str]] = {
    "disk_full": lambda: _("There was no room left to keep the clip."),
    "encoder_failed": lambda: _("The clip was rendered but could not be written."),
    "frames_missing": lambda: _("The model made fewer frames than were ordered."),
    "frame_wrong": lambda: _("The model made a frame of the wrong size."),
    "sound_wrong": lambda: _("The model made sound that cannot be kept."),
    "sound_damaged": lambda: _("The model made damaged sound."),
    "black_clip": lambda: _("The model made a clip without a picture."),
    "out_of_memory": lambda: _("The clip did not fit into the device's memory."),
    "device_lost": lambda: _("The device that rendered went away."),
    "checkpoint_missing": lambda: _("The model's files are not where they should be."),
    "checkpoint_damaged": lambda: _("The model's files are damaged."),
    "checkpoint_foreign": lambda: _("The model's files belong to another kind of model."),
    "lever_unmeasured": lambda: _("This tier of the model was not measured yet."),
    "style_foreign": lambda: _("A style does not fit this model, or its file was changed."),
    "checkpoint_not_loaded": lambda: _("The model was not ready when it was needed."),
    "reference_missing": lambda: _("A picture that the clip was to show is gone."),
    "extended_missing": lambda: _("The clip that it was to extend is gone."),
    "engine_stalled": lambda: _("Rendering stood still and was given up."),
    "remote_away": lambda: _("The server that renders this model did not answer."),
    "remote_refused": lambda: _("The server that renders this model refused the order."),
    "remote_garbage": lambda: _("What the server of this model sent is not the clip."),
    "web_away": lambda: _("The clip was made elsewhere and could not be brought here."),
    "web_refused": lambda: _("The clip was made elsewhere and was not taken here."),
    "worker_died": lambda: _("The worker was lost three times."),
    "worker_stalled": lambda: _("The worker stood still three times."),
    "time_limit": lambda: _("Rendering took longer than an hour and was stopped."),
}


def failure_sentence(code: str) -> str:
    known = FAILURES.get(code)
    return known() if known else _("The engine could not finish this clip.")


def pictures_of(job: Job, *, is_mine: bool) -> list[ShownPicture]:
    """What its clip shows of references, for its owner or for staff who see it."""
    return [
        shown_picture(
            one.reference,
            one.still,
            frame=one.frame,
            frames=job.frames,
            strength=one.strength,
            is_mine=is_mine,
        )
        for one in conditions_of(job)
    ]


def style_lines(job: Job) -> list[tuple[str, str]]:
    """For a list of what made a clip: its styles with their weights; no line where it has none."""
    used = [f"{one.style.name} × {one.weight:g}" for one in job_styles_of(job)]
    return [(_("Styles"), ", ".join(used))] if used else []


def extended_words(source: Extended) -> str:
    """What the form says of the clip that is to go on."""
    return _("It begins with the last frame of “%(prompt)s” (%(seconds)s s).") % {
        "prompt": Truncator(source.job.prompt).chars(60),
        "seconds": _seconds_words(source.frames, source.rate),
    }


def extension_lines(job: Job) -> list[tuple[str, str]]:
    """For a list of what was ordered; no line where it extends nothing."""
    if job.extends_id is None:
        return []
    rate = Fraction(job.rate_num, job.rate_den)
    facts = {
        "before": _seconds_words(job.frames_before, rate),
        "new": _seconds_words(job.frames - 1, rate),
    }
    return [(_("Goes on from"), _("the last frame of a clip, %(before)s s + %(new)s s") % facts)]


def goes_on_from(job: Job, *, is_mine: bool) -> dict[str, Any] | None:
    """For the page of a clip that extends another one: words, and for their owner the way there."""
    lines = extension_lines(job)
    if not lines or job.extends_id is None:
        return None
    url = reverse("clip", args=[shown("clip", job.extends_id)]) if is_mine else None
    return {"words": _("It goes on from %(part)s.") % {"part": lines[0][1]}, "url": url}


def _seconds_words(frames: int, rate: Fraction) -> str:
    return f"{float(frames / rate):.1f}"


def refund_sentence(*, price: int, charged: int) -> str:
    """What came back when a job ended early."""
    back = price - charged
    if not charged:
        return ngettext(
            "%(back)s credit came back to you: all of it.",
            "%(back)s credits came back to you: all of them.",
            back,
        ) % {"back": back}
    return ngettext(
        "%(charged)s credit was charged for the steps done; %(back)s came back to you.",
        "%(charged)s credits were charged for the steps done; %(back)s came back to you.",
        charged,
    ) % {"charged": charged, "back": back}


RECORD: dict[str, Callable[[dict[str, Any]], str]] = {
    "job.submitted": lambda facts: (
        _("Asked for this clip, with the recipe of another and other words.")
        if facts.get("remix_of")
        else _("Asked for this clip, to go on where an earlier one ends.")
        if facts.get("extends")
        else _("Asked for this clip.")
    ),
    "job.claimed": lambda facts: (
        _("Rendering began.")
        if facts.get("attempt", 1) == 1
        else _("Rendering began again, attempt %(number)s of 3.") % {"number": facts["attempt"]}
    ),
    "job.retried": lambda facts: (
        _("The attempt did not end well: %(why)s It waits again.")
        % {"why": failure_sentence(facts.get("code", ""))}
    ),
    "job.finished": lambda facts: (
        ngettext(
            "The clip was kept. Charged: %(charged)s credit.",
            "The clip was kept. Charged: %(charged)s credits.",
            facts.get("charged", 0),
        )
        % {"charged": facts.get("charged", 0)}
    ),
    "job.failed": lambda facts: (
        _("It failed: %(why)s Everything came back.")
        % {"why": failure_sentence(facts.get("code", ""))}
    ),
    "job.cancelled": lambda facts: (
        ngettext(
            "Cancelled. Charged: %(charged)s credit.",
            "Cancelled. Charged: %(charged)s credits.",
            facts.get("charged", 0),
        )
        % {"charged": facts.get("charged", 0)}
    ),
    "video.deleted": lambda _facts: _("Deleted where programs ask for it; the record stays."),
    "job.held": lambda _facts: _("Held: the token or session behind it was stopped."),
    "job.resumed": lambda _facts: _("Vouched for; it waits again."),
    "job.lapsed": lambda _facts: _(
        "Nobody vouched for it within seven days. Everything came back."
    ),
}


def record_sentence(kind: str, facts: dict[str, Any]) -> str:
    words = RECORD.get(kind)
    return words(facts) if words else kind
