"""Where somebody stands, in a sentence."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import Standing

ACT_WORDS = {
    Acceptance.Act.ACCEPTED.value: lambda: _("You accepted it."),
    Acceptance.Act.DECLINED.value: lambda: _("You declined it."),
}


def until_words(version: AgreementVersion) -> str:
    """Up to when an answer is in time; empty where no day is set.

    A midnight where the programme is ends the day before it, which is the one that somebody wrote.
    Any other moment is told to the minute, in the reader's zone.
    """
    if version.answer_by is None:
        return ""
    return end_words(version.answer_by, version.programme.time_zone)


def end_words(answer_by: datetime, time_zone: str) -> str:
    """The same for a moment alone, and the zone of the programme."""
    there = answer_by.astimezone(ZoneInfo(time_zone))
    if there.time() == time():
        day = there.date() - timedelta(days=1)
        return _("the end of %(day)s") % {"day": formats.date_format(day, "j M Y")}
    return formats.date_format(answer_by.astimezone(timezone.get_current_timezone()), "j M Y, H:i")


def governing_sentence(standing: Standing) -> str:
    """Which version governs the reader now, and what that means for new work."""
    if standing.governing:
        number = standing.governing.version.number
        if standing.act:
            return _("You accepted version %(number)s. It governs you.") % {"number": number}
        return _(
            "Version %(number)s, which you accepted, governs you until you answer. You can work on"
            " under it meanwhile."
        ) % {"number": number}
    if standing.act:
        return _(
            "You declined version %(number)s. You can begin no new work; all that you made and"
            " earned under earlier versions stays under them. You may change your mind here."
        ) % {"number": standing.version.number}
    if standing.accepted and standing.is_lapsed:
        return _(
            "The day to answer by has passed. You can begin no new work until you answer; all that"
            " you made and earned under version %(number)s stays under it."
        ) % {"number": standing.accepted.number}
    if standing.accepted:
        return _(
            "Your last answer was no. You can begin no new work; all that you made and earned"
            " under version %(number)s stays under it."
        ) % {"number": standing.accepted.number}
    return _("No version governs you yet: you have accepted none. New work asks for your yes.")
