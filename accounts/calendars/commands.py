"""Publishing when a programme's people work. What was in force before stays readable."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.calendars.models import CalendarVersion
from accounts.calendars.rules import parse_week, week_texts
from accounts.programmes.commands import lock_programme, next_number
from core.audit.commands import record
from core.clock import must_be_in_range
from core.errors import InvalidOrder

FIELDS = ("week", "holidays")
# A day off for every day of ten years: beyond that somebody wrote something else.
MOST_HOLIDAYS = 3660


def publish_calendar(
    *,
    programme_id: UUID,
    week: list[str],
    holidays: list[date],
    seen: int | None = None,
    actor: UUID | None = None,
) -> CalendarVersion:
    """Put the next version in force. Holidays are kept in order, each once.

    Raises ``InvalidOrder`` for what is no week, ``ChangedMeanwhile`` where another version came in
    between.
    """
    texts = week_texts(parse_week(week))
    days = sorted(set(holidays))
    if len(days) > MOST_HOLIDAYS:
        raise InvalidOrder(
            "holidays_too_many",
            _("A calendar holds at most %(most)s holidays.") % {"most": MOST_HOLIDAYS},
            field="holidays",
        )
    must_be_in_range(*days, field="holidays")
    with transaction.atomic():
        lock_programme(programme_id)
        versions = CalendarVersion.objects.filter(programme_id=programme_id)
        version = CalendarVersion.objects.create(
            programme_id=programme_id,
            number=next_number(versions, seen=seen, fields=FIELDS),
            week=texts,
            holidays=days,
            published_by_id=actor,
        )
        record(
            "calendar.published",
            subject=("calendar", version.id),
            actor=actor,
            number=version.number,
        )
    return version
