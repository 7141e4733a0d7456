from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST
from django_htmx.middleware import HtmxDetails

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.notices.commands import dismiss_notice
from core.errors import Absent
from core.ids import read_id


@require_POST
@signed_in
def dismiss(request: PortalRequest, notice: str) -> HttpResponse:
    notice_id = read_id("notice", notice)
    if notice_id is None:
        raise Absent
    dismiss_notice(actor=request.actor, notice_id=notice_id)
    # htmx takes the notice off the page it stands on; an empty answer lets it.
    return HttpResponse() if _is_htmx(request) else redirect("studio")


def _is_htmx(request: PortalRequest) -> bool:
    return bool(cast("HtmxDetails", request.htmx))  # type: ignore[attr-defined]


urlpatterns = [path("notices/<str:notice>/dismiss", dismiss, name="dismiss-notice")]
