"""Exports over the native API: ask for one, follow it, and where to download it."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.exports.commands import ask_export
from accounts.exports.models import Export
from accounts.exports.queries import export_for, exports_of
from core.api import Endpoint, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.clock import now
from core.ids import shown
from greenroom.exports.words import file_url, state_now


class ExportShown(Shape):
    id = PublicId("export")
    url = Text()
    state = serializers.ChoiceField(Export.State.choices)
    asked_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    bytes = Whole(allow_null=True)
    sha256 = Text(help_text=_("Of the archive; empty before it is ready."))
    file = Text(allow_null=True, help_text=_("Where it is downloaded while it is ready."))


class Exports(Endpoint):
    @operation(
        scope=Scope.EXPORTS_READ,
        summary=_("Your exports"),
        words=_("Newest first, those that ended too."),
        query=PageWish,
        answers=ExportShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        page = page_of(exports_of(self.actor), self.asked_in_query(), by=("-asked_at", "-id"))
        moment = now()
        return self.answer(page.shown([_shown(row, moment) for row in page.rows]))

    @operation(
        scope=Scope.EXPORTS_CREATE,
        summary=_("Ask for an export"),
        words=_(
            "Everything that is yours, of every programme, in one archive. While one is being put"
            " together, asking again gives the same one. It stays for seven days."
        ),
        answers=ExportShown,
        status=201,
    )
    def post(self, request: Request) -> Response:
        return self.answer(_shown(ask_export(actor=self.actor), now()))


class OneExport(Endpoint):
    @operation(
        scope=Scope.EXPORTS_READ,
        summary=_("One export"),
        answers=ExportShown,
        refuses=(404,),
    )
    def get(self, request: Request, export: str) -> Response:
        return self.answer(_shown(export_for(self.actor, export), now()))


def _shown(export: Export, moment: Any) -> dict[str, Any]:
    state = state_now(export, moment)
    facts = {
        "id": export.id,
        "url": reverse("api-export", args=[shown("export", export.id)]),
        "state": state,
        "asked_at": export.asked_at,
        "ready_at": export.ready_at,
        "expires_at": export.expires_at,
        "bytes": export.bytes,
        "sha256": export.sha256,
        "file": file_url(export) if state is Export.State.READY else None,
    }
    return dict(ExportShown(facts).data)


urlpatterns = [
    path("exports", Exports.as_view(), name="api-exports"),
    path("exports/<str:export>", OneExport.as_view(), name="api-export"),
]
