"""The inbox, and the way from a notice to what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.notices.commands import dismiss_notice, dismiss_notices
from accounts.notices.queries import notice_for, notices_of
from accounts.notices.rules import Topic
from accounts.notices.words import shown_notice, shown_notices
from accounts.profile.choices import CHOSEN
from core.api import page_of
from core.clock import must_be_in_range, now
from core.errors import Absent, InvalidOrder
from core.ids import read_id

NOTICES_ON_A_PAGE = 30


@require_GET
@signed_in
def inbox(request: PortalRequest) -> HttpResponse:
    topic = _topic(request.GET.get("topic", ""))
    unread = request.GET.get("show") == "unread"
    page = page_of(
        notices_of(request.actor.party_id, unread=unread, topic=topic),
        {"limit": NOTICES_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-at", "-id"),
    )
    asked = {"show": "unread"} if unread else {}
    of_topic = {"topic": topic.value} if topic else {}
    context = {
        "notices": shown_notices(page.rows),
        "more_url": f"?{urlencode({**asked, **of_topic, 'cursor': page.next})}"
        if page.next
        else None,
        "topics": Topic,
        "topic": topic,
        "unread_only": unread,
        "any_unread": any(notice.read_at is None for notice in page.rows),
        "until": now().isoformat(),
    }
    return render(request, "accounts/notices/inbox.html", context)


@require_GET
@signed_in
def follow(request: PortalRequest, notice: str) -> HttpResponse:
    """To the page, in the programme it belongs to. What has been followed has been read."""
    found = shown_notice(notice_for(request.actor, notice))
    dismiss_notice(actor=request.actor, notice_id=found.id)
    if found.programme_id:
        request.session[CHOSEN] = str(found.programme_id)
    return redirect(found.page)


@require_POST
@signed_in
def dismiss(request: PortalRequest, notice: str) -> HttpResponse:
    notice_id = read_id("notice", notice)
    if notice_id is None:
        raise Absent
    dismiss_notice(actor=request.actor, notice_id=notice_id)
    # htmx takes the notice off the page it stands on; an empty answer lets it.
    return HttpResponse() if _is_htmx(request) else _back(request)


@require_POST
@signed_in
def dismiss_all(request: PortalRequest) -> HttpResponse:
    dismiss_notices(
        actor=request.actor,
        topic=_topic(request.POST.get("topic", "")),
        until=_moment(request.POST.get("until", "")),
    )
    return redirect("inbox")


def _moment(said: str) -> datetime | None:
    """None where nothing is said. Raises ``InvalidOrder``: to put all away would be too much."""
    if not said:
        return None
    try:
        moment = parse_datetime(said)
    except ValueError:
        moment = None
    if moment is None or is_naive(moment):
        raise InvalidOrder(
            "moment_unreadable",
            _("Write a moment like 2026-05-01T00:00+02:00, with its zone."),
            field="until",
        )
    must_be_in_range(moment, field="until")
    return moment


def _topic(said: str) -> Topic | None:
    return Topic(said) if said in Topic.values else None


def _back(request: PortalRequest) -> HttpResponse:
    return redirect("inbox" if request.POST.get("next") == "inbox" else "studio")


def _is_htmx(request: PortalRequest) -> bool:
    return bool(cast("HtmxDetails", request.htmx))  # type: ignore[attr-defined]


urlpatterns = [
    path("inbox", inbox, name="inbox"),
    path("inbox/dismiss", dismiss_all, name="dismiss-notices"),
    path("inbox/<str:notice>", follow, name="notice"),
    path("notices/<str:notice>/dismiss", dismiss, name="dismiss-notice"),
]
