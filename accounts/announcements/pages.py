"""Announcements: reading them, and for the programme's people making one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.announcements.commands import LONGEST_TITLE, LONGEST_WORDS, announce
from accounts.announcements.models import Announcement
from accounts.announcements.queries import (
    Readers,
    announcement_for,
    announcements_for,
    possible_readers,
)
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.rules import SCOPE_ROLES, Scope
from core.api import page_of
from core.errors import Absent, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import read_id, shown

ON_A_PAGE = 20
EVERYBODY = "everybody"


class Words(forms.Form):
    readers = forms.ChoiceField(label=gettext_lazy("For"))
    title = forms.CharField(
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("One line; the subject of its mail."),
        max_length=LONGEST_TITLE,
    )
    words = forms.CharField(
        label=gettext_lazy("What you want to say"),
        help_text=gettext_lazy("Plain text. It cannot be edited or taken back."),
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def __init__(self, readers: list[Readers], data: Any = None) -> None:
        super().__init__(data)
        self.fields["readers"].choices = [_choice(each) for each in readers]  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@signed_in
def announcements(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _show(request)
    if not _may_announce(request):
        raise Absent
    form = Words(possible_readers(request.actor), request.POST)
    return _announce(request, form) if form.is_valid() else _show(request, form, status=422)


@require_GET
@signed_in
def announcement_page(request: PortalRequest, announcement: str) -> HttpResponse:
    found = announcement_for(request.actor, announcement)
    return render(request, "accounts/announcements/announcement.html", {"announcement": found})


def _announce(request: PortalRequest, form: Words) -> HttpResponse:
    said = form.cleaned_data
    try:
        made = announce(
            actor=request.actor,
            title=said["title"],
            words=said["words"],
            cohort_id=_cohort(said["readers"]),
            once=_once(request, said),
            answer=_kept,
        )
    except AlreadyAnswered as first:
        return redirect("announcement", first.body["announcement"])
    except Refusal as refusal:
        if refusal.field not in form.fields:
            raise
        form.add_error(refusal.field, refusal.sentence)
        return _show(request, form, status=refusal.http_status)
    messages.success(request, _("Said. Everybody it is for finds it in their inbox."))
    return redirect("announcement", shown("announcement", made.id))


def _show(request: PortalRequest, form: Words | None = None, *, status: int = 200) -> HttpResponse:
    page = page_of(
        announcements_for(request.actor),
        {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-made_at", "-id"),
    )
    if form is None and _may_announce(request):
        form = Words(possible_readers(request.actor))
    context = {
        "form": form,
        "announcements": [(shown("announcement", one.id), one) for one in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "once": request.POST.get("once") or uuid4().hex,
    }
    return render(request, "accounts/announcements/announcements.html", context, status=status)


def _may_announce(request: PortalRequest) -> bool:
    return bool(SCOPE_ROLES[Scope.ANNOUNCEMENTS_SEND] & request.actor.roles)


def _choice(readers: Readers) -> tuple[str, str]:
    count = ngettext("%(count)s reader", "%(count)s readers", readers.count) % {
        "count": readers.count
    }
    if readers.cohort_id is None:
        return EVERYBODY, _("Everybody in the programme: %(count)s") % {"count": count}
    words = _("Cohort “%(name)s”: %(count)s") % {"name": readers.name, "count": count}
    return shown("cohort", readers.cohort_id), words


def _cohort(said: str) -> UUID | None:
    return read_id("cohort", said)


def _once(request: PortalRequest, said: dict[str, str]) -> Once | None:
    key = request.POST.get("once")
    if not key:
        return None
    scope = f"{request.actor.party_id}:announce"
    return Once.of(scope=scope, key=key, payload=said)


def _kept(announcement: Announcement) -> tuple[int, dict[str, str]]:
    return 201, {"announcement": shown("announcement", announcement.id)}


urlpatterns = [
    path("announcements", announcements, name="announcements"),
    path("announcements/<str:announcement>", announcement_page, name="announcement"),
]
