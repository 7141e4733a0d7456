"""Moments, clocks and states of a case in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from review.submissions.rules import CaseKind, State

KINDS: dict[str, Callable[[], str]] = {
    CaseKind.RELEASE: lambda: _("First review"),
    CaseKind.APPEAL: lambda: _("Appeal"),
}

STATES: dict[str, Callable[[], str]] = {
    State.QUEUED: lambda: _("Waiting"),
    State.CLAIMED: lambda: _("With a reviewer"),
    State.APPROVED: lambda: _("Approved"),
    State.DECLINED: lambda: _("Declined"),
    State.CHANGES_REQUESTED: lambda: _("Changes asked for"),
    State.WITHDRAWN: lambda: _("Withdrawn by its maker"),
}


def local_time(at: datetime) -> datetime:
    """The moment on the reader's own clock."""
    return at.astimezone(timezone.get_current_timezone())


def kind_words(kind: str) -> str:
    return KINDS[kind]()


def state_words(state: str) -> str:
    return STATES[state]()


def moment_words(at: datetime, moment: datetime) -> str:
    """``at`` as somebody says it at ``moment``, in the reader's zone: “today 17:00”."""
    local, today = local_time(at), local_time(moment).date()
    clock = date_format(local, "H:i")
    if local.date() == today:
        return _("today %(time)s") % {"time": clock}
    if today < local.date() <= today + timedelta(days=6):
        return f"{date_format(local, 'l')} {clock}"
    return f"{day_words(at, moment)}, {clock}"


def day_words(at: datetime, moment: datetime) -> str:
    """The day alone, “24 May”; with the year where it is another one."""
    local = local_time(at)
    is_this_year = local.year == local_time(moment).year
    return date_format(local, "j F" if is_this_year else "j F Y")


def due_words(due_at: datetime, moment: datetime) -> str:
    """For the middle of a sentence. A time that has passed says so."""
    when = {"when": moment_words(due_at, moment)}
    if due_at <= moment:
        return _("late: was due %(when)s") % when
    return _("decision due %(when)s") % when
