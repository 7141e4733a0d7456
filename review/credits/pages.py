"""Credits in the portal: those that name me, and those of a clip of mine."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import Actor
from core.api import page_of
from core.errors import KeyReused, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.clips.models import Clip
from review.credits.commands import answer_credit, name_person
from review.credits.models import CreditLine
from review.credits.queries import (
    clip_to_credit,
    credit_lines_answered,
    credit_lines_on,
    credit_lines_waiting,
)
from review.credits.rules import CreditRole, DisplayForm, State
from review.credits.words import name_in_form, name_shown, shown_credit, state_words

LINES_ON_A_PAGE = 24
WAITING_SHOWN = 100


class NewCredit(forms.Form):
    party = forms.CharField(
        label=gettext_lazy("Their credit id"),
        help_text=gettext_lazy("Starts with par_. They find it on their settings page."),
        widget=forms.TextInput(
            attrs={"maxlength": 30, "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("What they did"), choices=CreditRole.choices)
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)


def credits_section(actor: Actor, clip: Clip, form: NewCredit | None = None) -> dict[str, Any]:
    """What ``review/credits/_credits.html`` shows as ``credits``, for whoever may see the clip.

    Its owner sees every line with its answer and can name people; staff see what the public would.
    """
    is_owner = clip.party_id == actor.party_id
    lines = list(credit_lines_on(clip.id))
    if not is_owner:
        lines = [line for line in lines if line.state == State.ACCEPTED]
    return {
        "lines": [_line_of_clip(line, actor) for line in lines],
        "is_owner": is_owner,
        "form": (form or NewCredit(initial={"once": uuid4().hex})) if is_owner else None,
        "url": reverse("clip-credits", args=[shown("clip", clip.id)]),
    }


@require_GET
@signed_in
def my_credits(request: PortalRequest) -> HttpResponse:
    cursor = request.GET.get("cursor")
    answered = page_of(
        credit_lines_answered(request.actor),
        {"limit": LINES_ON_A_PAGE, "cursor": cursor},
        by=("-made_at", "-id"),
    )
    waiting = [] if cursor else credit_lines_waiting(request.actor)[:WAITING_SHOWN]
    context = {
        "waiting": [_line_of_mine(line, request.actor) for line in waiting],
        "answered": [_line_of_mine(line, request.actor) for line in answered.rows],
        "credit_id": shown("party", request.actor.party_id),
        "more_url": f"?{urlencode({'cursor': answered.next})}" if answered.next else None,
    }
    return render(request, "review/credits/mine.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def credits_of_clip(request: PortalRequest, clip: str) -> HttpResponse:
    found = clip_to_credit(request.actor, clip)
    if request.method == "GET":
        return _ask(request, found, NewCredit(initial={"once": uuid4().hex}))
    form = NewCredit(request.POST)
    if not form.is_valid():
        return _ask(request, found, form, status=422)
    wish = form.cleaned_data
    try:
        name_person(
            actor=request.actor,
            clip_id=clip,
            party=wish["party"],
            role=wish["role"],
            once=_once(request, clip, wish),
            answer=lambda _line: (201, {"url": reverse("clip", args=[clip])}),
        )
    except (AlreadyAnswered, KeyReused):
        messages.warning(request, _("That form has named somebody already."))
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return _ask(request, found, form, status=refusal.http_status)
    else:
        messages.success(request, _("They are asked. Their name is shown once they have said yes."))
    return redirect("clip", clip)


@require_POST
@signed_in
def answer(request: PortalRequest, credit_line: str) -> HttpResponse:
    line = answer_credit(
        actor=request.actor,
        credit_line_id=credit_line,
        move=request.POST.get("move", ""),
        display_form=request.POST.get("display_form") or None,
    )
    if line.state == State.DECLINED:
        messages.success(request, _("You are not credited there. You may change your mind here."))
    else:
        messages.success(request, _("The credit reads: %(credit)s") % {"credit": _reads(line)})
    return redirect("credits")


def _ask(request: PortalRequest, clip: Clip, form: NewCredit, *, status: int = 200) -> HttpResponse:
    context = {
        "clip": {"prompt": clip.prompt, "url": reverse("clip", args=[shown("clip", clip.id)])},
        "credits": credits_section(request.actor, clip, form),
    }
    return render(request, "review/credits/clip.html", context, status=status)


def _line_of_clip(line: CreditLine, actor: Actor) -> dict[str, Any]:
    credit = shown_credit(line)
    is_mine = line.party_id == actor.party_id
    return {
        "role_words": credit.role_words,
        "name": credit.name if line.state == State.ACCEPTED else "",
        "is_named": credit.is_named,
        "party": shown("party", line.party_id),
        "is_mine": is_mine,
        "state": line.state,
        "state_words": "" if is_mine else state_words(State(line.state)),
        "at": line.answered_at or line.made_at,
    }


def _line_of_mine(line: CreditLine, actor: Actor) -> dict[str, Any]:
    maker = name_in_form(line.proposed_by, DisplayForm.NAME)
    is_own_clip = line.proposed_by_id == line.party_id
    clip = shown("clip", line.clip_id)
    return {
        "public_id": shown("credit_line", line.id),
        "role_words": shown_credit(line).role_words,
        "name": name_shown(line),
        "state": line.state,
        "prompt": line.clip.prompt,
        "clip": clip,
        # A clip's page is open from within its programme.
        "clip_url": reverse("clip", args=[clip]) if is_own_clip and actor.programme_id else None,
        "proposed_by": maker or shown("party", line.proposed_by_id),
        "is_own_clip": is_own_clip,
        "at": line.made_at,
        "forms": [
            {
                "value": form.value,
                "words": form.label,
                "name": name_in_form(line.party, form),
                "is_chosen": form == line.display_form,
            }
            for form in DisplayForm
        ],
        "answer_url": reverse("answer-credit", args=[shown("credit_line", line.id)]),
    }


def _reads(line: CreditLine) -> str:
    credit = shown_credit(line)
    return f"{credit.role_words} {credit.name}"


def _once(request: PortalRequest, clip: str, wish: dict[str, Any]) -> Once:
    return Once.of(
        scope=f"{request.actor.party_id}:{request.actor.programme}:name-person",
        key=wish["once"],
        payload={"clip": clip, **wish},
    )


urlpatterns = [
    path("credits", my_credits, name="credits"),
    path("credits/<str:credit_line>/answer", answer, name="answer-credit"),
    path("clips/<str:clip>/credits", credits_of_clip, name="clip-credits"),
]
