"""Taking along: everything that is one's own, in one archive."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.exports.commands import ask_export
from accounts.exports.models import Export
from accounts.exports.queries import exports_of
from accounts.exports.rules import LASTS
from core.api import page_of
from core.clock import now
from greenroom.exports.contents import CONTENTS
from greenroom.exports.words import shown_export

ON_A_PAGE = 20


@require_http_methods(["GET", "POST"])
@signed_in
def exports(request: PortalRequest) -> HttpResponse:
    """For everybody who is signed in, whatever they accepted and wherever they left."""
    if request.method == "POST":
        ask_export(actor=request.actor)
        messages.success(request, _("Asked for. You hear when it is ready."))
        return redirect("exports")
    moment = now()
    page = page_of(
        exports_of(request.actor),
        {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-asked_at", "-id"),
    )
    context = {
        "exports": [shown_export(row, moment) for row in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "is_under_way": any(row.state == Export.State.ASKED for row in page.rows),
        "contents": [document.words for document in CONTENTS],
        "days": LASTS.days,
    }
    return render(request, "exports/exports.html", context)


urlpatterns = [path("exports", exports, name="exports")]
