"""Filing what is worth telling, and for staff, answering it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, only_for, signed_in
from accounts.rates.queries import rate_card
from accounts.rates.words import ShownRateLine, shown_rate_card
from core.api import page_of
from core.audit.queries import events_of
from core.clock import now
from core.errors import Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.clips.models import Clip
from review.contributions.commands import file_contribution, triage_contribution
from review.contributions.models import Contribution
from review.contributions.queries import (
    clip_to_write_about,
    clips_to_write_about,
    contribution_for,
    contributions_of,
    contributions_to_triage,
    may_triage,
)
from review.contributions.rules import LONGEST_TITLE, DeclineReason, Kind, State, Wish
from review.contributions.words import record_sentence, shown_contribution

ON_A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    role: str
    sentence: str
    url: str | None = None


class NewContribution(forms.Form):
    """Lengths and limits are the command's to judge; the attributes only help in typing."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is it?"), choices=Kind.choices, widget=forms.RadioSelect
    )
    clip = forms.ChoiceField(label=gettext_lazy("What is it about?"), required=False)
    frame_from = forms.IntegerField(
        label=gettext_lazy("From frame"),
        required=False,
        help_text=gettext_lazy("Frames are counted from 0, as the player shows them."),
        widget=forms.NumberInput(attrs={"min": 0}),
    )
    frame_to = forms.IntegerField(
        label=gettext_lazy("To frame"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0}),
    )
    title = forms.CharField(
        label=gettext_lazy("In one line"),
        widget=forms.TextInput(attrs={"maxlength": LONGEST_TITLE, "autocomplete": "off"}),
    )
    words = forms.CharField(
        label=gettext_lazy("In your words"),
        help_text=gettext_lazy("What happened, what you expected, how somebody else sees it too."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    # One form files once: a double press makes one contribution.
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, clips: list[Clip], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["clip"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("The programme as a whole")),
            *((shown("clip", clip.id), clip.prompt[:80]) for clip in clips),
        ]

    def wish(self) -> Wish:
        """Of a valid form."""
        given = self.cleaned_data
        return Wish(
            kind=given["kind"],
            title=given["title"],
            words=given["words"],
            clip=given["clip"] or None,
            frame_from=given["frame_from"],
            frame_to=given["frame_to"],
        )


class Accept(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        help_text=gettext_lazy("Its maker reads it."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class Decline(forms.Form):
    decline_reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=DeclineReason.choices, widget=forms.RadioSelect
    )
    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        help_text=gettext_lazy("Its maker reads it: why, in a sentence."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@require_GET
@signed_in
def contributions(request: PortalRequest) -> HttpResponse:
    page = page_of(
        contributions_of(request.actor),
        {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-filed_at", "-id"),
    )
    context = {
        "contributions": [shown_contribution(one) for one in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "may_file": "tester" in request.actor.roles,
        "may_triage": may_triage(request.actor),
    }
    return render(request, "review/contributions/contributions.html", context)


@require_GET
@only_for("reviewer", "manager")
def to_triage(request: PortalRequest) -> HttpResponse:
    page = page_of(
        contributions_to_triage(request.actor),
        {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("filed_at", "id"),
    )
    context = {
        "contributions": [shown_contribution(one) for one in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
    }
    return render(request, "review/contributions/to_triage.html", context)


@require_http_methods(["GET", "POST"])
@only_for("tester")
def new_contribution(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _ask(request, _blank(request))
    form = NewContribution(request.POST, clips=_clips(request, request.POST.get("clip", "")))
    if not form.is_valid():
        return _ask(request, form, status=422)
    try:
        filed = file_contribution(
            actor=request.actor, wish=form.wish(), once=_once(request, form), answer=_kept
        )
    except AlreadyAnswered as first:
        return redirect("contribution", first.body["contribution"])
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _ask(request, form, status=refusal.http_status)
        return _ask(request, form, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("Filed. Somebody of the programme answers it."))
    return redirect("contribution", shown("contribution", filed.id))


@require_GET
@signed_in
def contribution_page(request: PortalRequest, contribution: str) -> HttpResponse:
    return _page(request, contribution_for(request.actor, contribution))


@require_POST
@only_for("reviewer", "manager")
def accept(request: PortalRequest, contribution: str) -> HttpResponse:
    return _triage(request, contribution, Accept(request.POST, auto_id="accept_%s"))


@require_POST
@only_for("reviewer", "manager")
def decline(request: PortalRequest, contribution: str) -> HttpResponse:
    return _triage(request, contribution, Decline(request.POST, auto_id="decline_%s"))


def _triage(request: PortalRequest, contribution: str, form: Accept | Decline) -> HttpResponse:
    found = contribution_for(request.actor, contribution)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        triage_contribution(
            actor=request.actor,
            contribution_id=contribution,
            accept=isinstance(form, Accept),
            **form.cleaned_data,
        )
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _page(request, found, form, status=refusal.http_status)
        found = contribution_for(request.actor, contribution)
        return _page(request, found, form, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("Answered. Its maker hears of it."))
    return redirect("contribution", contribution)


def _page(
    request: PortalRequest,
    found: Contribution,
    form: Accept | Decline | None = None,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    is_mine = found.party_id == request.actor.party_id
    context = {
        "contribution": shown_contribution(found),
        "record": _record(found, request),
        "is_mine": is_mine,
        "may_answer": may_triage(request.actor) and not is_mine and found.state == State.FILED,
        "accept": form if isinstance(form, Accept) else Accept(auto_id="accept_%s"),
        "decline": form if isinstance(form, Decline) else Decline(auto_id="decline_%s"),
        "is_declining": isinstance(form, Decline),
        "refusal": refusal,
    }
    return render(request, "review/contributions/contribution.html", context, status=status)


def _ask(
    request: PortalRequest,
    form: NewContribution,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "refusal": refusal, "card": _card(request)}
    return render(request, "review/contributions/new.html", context, status=status)


def _blank(request: PortalRequest) -> NewContribution:
    clip, kind = request.GET.get("clip", ""), request.GET.get("kind", "")
    initial = {"once": uuid4().hex, "clip": clip, "kind": kind or Kind.BUG_REPORT}
    return NewContribution(initial=initial, clips=_clips(request, clip))


def _clips(request: PortalRequest, wanted: str) -> list[Clip]:
    """The newest, and the one that is asked for, however old. Raises ``Absent`` for no own one."""
    newest = clips_to_write_about(request.actor)
    if not wanted or wanted in {shown("clip", clip.id) for clip in newest}:
        return newest
    return [clip_to_write_about(request.actor, wanted), *newest]


def _card(request: PortalRequest) -> list[ShownRateLine]:
    """What the three kinds earn, as the form is about to promise it."""
    card = shown_rate_card(rate_card(request.actor.programme, now()))
    return [line for line in card if line.kind in Kind.values]


def _once(request: PortalRequest, form: NewContribution) -> Once:
    actor = request.actor
    payload = {name: str(value) for name, value in form.cleaned_data.items()}
    return Once.of(
        scope=f"{actor.party_id}:{actor.programme}:new-contribution",
        key=form.cleaned_data["once"],
        payload=payload,
    )


def _kept(contribution: Contribution) -> tuple[int, dict[str, str]]:
    return 303, {"contribution": shown("contribution", contribution.id)}


def _record(contribution: Contribution, request: PortalRequest) -> list[Entry]:
    return [
        Entry(
            at=event.at,
            role=_who(event.actor_party_id, contribution, request),
            sentence=record_sentence(event.kind, event.facts),
        )
        for event in events_of(contribution.id)
    ]


def _who(party_id: Any, contribution: Contribution, request: PortalRequest) -> str:
    if party_id == request.actor.party_id:
        return _("You")
    return _("Its maker") if party_id == contribution.party_id else _("Staff")


urlpatterns = [
    path("contributions", contributions, name="contributions"),
    path("contributions/new", new_contribution, name="new-contribution"),
    path("contributions/to-triage", to_triage, name="to-triage"),
    path("contributions/<str:contribution>", contribution_page, name="contribution"),
    path("contributions/<str:contribution>/accept", accept, name="accept-contribution"),
    path("contributions/<str:contribution>/decline", decline, name="decline-contribution"),
]
