from __future__ import annotations

from uuid import UUID

from accounts.calendars.models import CalendarVersion


def calendar_in_force(programme_id: UUID) -> CalendarVersion | None:
    """The newest version of the programme."""
    return CalendarVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
