"""When a programme's people work: read by everybody in it, published by whoever sets it up."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.calendars.commands import publish_calendar
from accounts.calendars.models import CalendarVersion
from accounts.calendars.queries import calendar_in_force
from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from core.api import Endpoint, Shape, Text, Whole, operation
from core.errors import Absent

WEEK = ["09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "", ""]


class CalendarInForce(Shape):
    number = Whole(help_text=_("Which version it is."))
    week = serializers.ListField(
        child=Text(allow_blank=True),
        help_text=_("Monday first, like “09:00-17:30”; empty for a day off."),
    )
    holidays = serializers.ListField(child=serializers.DateField())
    published_at = serializers.DateTimeField()


class CalendarWish(Shape):
    week = serializers.ListField(child=Text(allow_blank=True))
    holidays = serializers.ListField(child=serializers.DateField(), required=False)
    seen = Whole(
        required=False,
        help_text=_("The version this was made from, 0 before the first; a newer one refuses it."),
    )


class Calendar(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read the working hours and holidays"),
        words=_("In the programme's time zone."),
        answers=CalendarInForce,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        version = calendar_in_force(self.actor.programme)
        if version is None:
            raise Absent
        return self.answer(_shown(version))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish working hours and holidays"),
        words=_("The next version; the ones before stay readable."),
        asks=CalendarWish,
        answers=CalendarInForce,
        refuses=(404, 409),
        example={"week": WEEK, "holidays": ["2026-12-25"]},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_calendar(
                programme_id=self.actor.programme,
                week=asked["week"],
                holidays=asked.get("holidays", []),
                seen=asked.get("seen"),
                actor=by,
            )
        return self.answer(_shown(version))


def _shown(version: CalendarVersion) -> dict[str, Any]:
    return dict(CalendarInForce(version).data)


urlpatterns = [path("programme/calendar", Calendar.as_view(), name="api-calendar")]
