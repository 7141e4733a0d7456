"""Settings over the native API."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.conf import settings
from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.people.models import PersonalDetail
from accounts.profile.commands import Detail, save_detail
from accounts.profile.queries import detail_of
from core.api import Endpoint, PublicId, Shape, Text, operation

LONGEST_NAME = 120
LANGUAGES = ["", *dict(settings.LANGUAGES)]


class SettingsShown(Shape):
    credit_id = PublicId("party", help_text=_("Give it to whoever should name you on their clip."))
    display_name = Text(help_text=_("What others in the programme see."))
    credit_name = Text(help_text=_("What credits call you, where you chose that."))
    language = Text(help_text=_("Empty: as the browser has it."))
    theme = Text()
    time_zone = Text(help_text=_("An IANA name. Empty: as the programme has it."))
    languages = serializers.ListField(
        child=Text(), help_text=_("Which you speak. Your programme's managers see them.")
    )
    contact = Text(help_text=_("How else you can be reached. Your programme's managers see it."))
    country = Text(
        help_text=_(
            "Two letters, for models whose licence does not hold everywhere. Nobody else sees it."
        )
    )


class SettingsWish(Shape):
    display_name = Text(required=False, allow_blank=True, max_length=LONGEST_NAME)
    credit_name = Text(required=False, allow_blank=True, max_length=LONGEST_NAME)
    language = serializers.ChoiceField(LANGUAGES, required=False)
    theme = serializers.ChoiceField(PersonalDetail.Theme.values, required=False)
    time_zone = Text(required=False, allow_blank=True)
    languages = serializers.ListField(child=Text(), required=False)
    contact = Text(required=False, allow_blank=True)
    country = Text(required=False, allow_blank=True, max_length=2)


class Settings(Endpoint):
    @operation(scope=Scope.SETTINGS_READ, summary=_("Read your settings"), answers=SettingsShown)
    def get(self, request: Request) -> Response:
        return self.answer(_shown(detail_of(self.actor.party_id)))

    @operation(
        scope=Scope.SETTINGS_WRITE,
        summary=_("Change your settings"),
        words=_(
            "Only the fields that are given change. Browsers that are signed in keep theme,"
            " language and time zone until their next sign-in."
        ),
        asks=SettingsWish,
        answers=SettingsShown,
        example={"credit_name": "A. Lovelace", "theme": "dark", "time_zone": "Europe/London"},
    )
    def patch(self, request: Request) -> Response:
        person = detail_of(self.actor.party_id).person
        save_detail(person=person, detail=Detail(**self.asked()))
        return self.answer(_shown(detail_of(self.actor.party_id)))


def _shown(detail: PersonalDetail) -> dict[str, Any]:
    names = [field.name for field in fields(Detail)]
    facts = {name: getattr(detail, name) for name in names}
    return dict(SettingsShown({"credit_id": detail.person.party_id, **facts}).data)


urlpatterns = [path("settings", Settings.as_view(), name="api-settings")]
