"""Administrators over the native API; they come by invitation (``/invitations``)."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.administrators.commands import end_administrator
from accounts.administrators.models import Administrator
from accounts.administrators.queries import administrator_for, administrators_of
from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, operation, page_of


class ShownAdministrator(Shape):
    id = PublicId("party")
    name = Text(help_text=_("Empty where the person said none, or was erased."))
    granted_by = PublicId("party", allow_null=True, help_text=_("Null: at the machine."))
    granted_at = serializers.DateTimeField()


class Administrators(Endpoint):
    @operation(
        scope=Scope.PEOPLE_READ,
        summary=_("Administrators of this installation"),
        words=_("For administrators. Newest first."),
        answers=ShownAdministrator,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        rows = administrators_of(self.actor)
        page = page_of(rows, self.asked_in_query(), by=("-granted_at", "-id"))
        return self.answer(page.shown([_shown(row) for row in page.rows]))


class Ending(Endpoint):
    @operation(
        scope=Scope.PEOPLE_WRITE,
        summary=_("End an administrator"),
        words=_("Their account and memberships stay. The last one stays, too."),
        answers=ShownAdministrator,
        refuses=(404, 409),
    )
    def post(self, _request: Request, party: str) -> Response:
        found = administrator_for(self.actor, party)
        end_administrator(party_id=found.party_id, actor=self.actor)
        return self.answer(_shown(found))


def _shown(row: Administrator) -> dict[str, Any]:
    person = getattr(row.party, "person", None)
    facts = {
        "id": row.party_id,
        "name": person.detail.display_name if person else "",
        "granted_by": row.granted_by_id,
        "granted_at": row.granted_at,
    }
    return dict(ShownAdministrator(facts).data)


urlpatterns = [
    path("administrators", Administrators.as_view(), name="api-administrators"),
    path("administrators/<str:party>/end", Ending.as_view(), name="api-administrator-end"),
]
