"""Set-up: the list of steps, keeping the kind defaults, opening and closing, a new programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.commands import in_charge
from accounts.credentials.doors import PortalRequest, only_for
from accounts.credentials.rules import Scope
from accounts.profile.choices import CHOSEN
from accounts.programmes.commands import close_programme, make_programme
from accounts.programmes.rules import ADMINISTRATOR
from core.clock import now
from core.errors import Refusal
from greenroom.setup.commands import (
    HAVE_DEFAULTS,
    ProgrammeNotReady,
    keep_defaults,
    open_when_ready,
)
from greenroom.setup.history import newest_since
from greenroom.setup.queries import Progress, Step, StepState, progress_of
from greenroom.setup.rules import StepCode
from greenroom.setup.step_forms import ProgrammeForm
from greenroom.setup.step_shown import managing, managing_now, programme_of, with_refusal
from greenroom.setup.usual import usual_of, usual_words
from greenroom.setup.words import TITLES

SAID_BY_NUMBER = frozenset({StepCode.AGREEMENT, StepCode.CLAUSES})


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the list. ``is_next``: the first that is not done. ``sentence`` is empty where
    the number and its date say it all."""

    step: Step
    url: str
    sentence: str
    since: datetime | None
    wrong: list[str]
    is_next: bool


@require_GET
@managing
def set_up(request: PortalRequest) -> HttpResponse:
    if request.actor.programme_id is None:
        return _new_programme(request, ProgrammeForm(initial=ProgrammeForm.usual()))
    return _list(request)


@require_http_methods(["GET", "POST"])
@only_for(ADMINISTRATOR)
def new_programme(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _new_programme(request, ProgrammeForm(initial=ProgrammeForm.usual()))
    form = ProgrammeForm(request.POST)
    if not form.is_valid():
        return _new_programme(request, form, status=422)
    said = form.cleaned_data
    try:
        with in_charge(request.actor, Scope.PROGRAMMES_CREATE, None) as by:
            made = make_programme(
                slug=said["slug"], wish=form.wish(), currency=said["currency"], actor=by
            )
    except Refusal as refusal:
        return _new_programme(request, with_refusal(form, refusal), status=refusal.http_status)
    request.session[CHOSEN] = str(made.id)
    messages.success(request, _("The programme is made. It is closed until you open it."))
    return redirect("setup")


@require_POST
@managing
def keep_kind_defaults(request: PortalRequest) -> HttpResponse:
    with managing_now(request) as by:
        kept = keep_defaults(programme_id=request.actor.programme, actor=by)
    if kept:
        titles = ", ".join(str(TITLES[code]) for code in TITLES if code in kept)
        messages.success(request, _("Published as they are: %(steps)s.") % {"steps": titles})
    else:
        messages.info(request, _("Nothing was open that has a default."))
    return redirect("setup")


@require_POST
@managing
def open_now(request: PortalRequest) -> HttpResponse:
    try:
        with managing_now(request) as by:
            open_when_ready(programme_id=request.actor.programme, actor=by)
    except ProgrammeNotReady as refusal:
        return _list(request, refusal=refusal, status=refusal.http_status)
    messages.success(request, _("The programme is open."))
    return redirect("setup")


@require_POST
@managing
def close_now(request: PortalRequest) -> HttpResponse:
    with managing_now(request) as by:
        close_programme(programme_id=request.actor.programme, actor=by)
    messages.success(request, _("The programme is closed. No new work begins."))
    return redirect("setup")


def _list(
    request: PortalRequest,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    programme = programme_of(request)
    progress = progress_of(programme.id, now())
    lines = _lines(progress, newest_since(programme.id))
    usual = usual_of(programme)
    context = {
        "lines": lines,
        "wrong": progress.findings,
        "next": next((line for line in lines if line.is_next), None),
        "keepable": [
            {"line": line, "facts": usual_words(line.step.code, usual)}
            for line in lines
            if _may_keep_default(line.step)
        ],
        "is_open": programme.is_open,
        "was_open": programme.opened_at is not None,
        "may_make": ADMINISTRATOR in request.actor.roles,
        "refusal": refusal,
    }
    return render(request, "setup/setup.html", context, status=status)


def _may_keep_default(step: Step) -> bool:
    # Of consents and rates some may be published, and the default is kept for the others.
    is_in_part = step.state == StepState.WRONG and step.code in (StepCode.CONSENTS, StepCode.RATES)
    return step.code in HAVE_DEFAULTS and (step.state == StepState.OPEN or is_in_part)


def _lines(progress: Progress, since: dict[str, datetime]) -> list[Line]:
    undone = (step.code for step in progress.steps if step.state != StepState.DONE)
    first = next(undone, None)
    return [
        Line(
            step=step,
            url=reverse(step.page),
            sentence="" if step.code in SAID_BY_NUMBER and step.number else step.sentence,
            since=since.get(step.code),
            wrong=[each.sentence for each in progress.findings if each.step == step.code],
            is_next=step.code == first,
        )
        for step in progress.steps
    ]


@require_GET
@managing
def people_step(request: PortalRequest) -> HttpResponse:
    """People have a room of their own."""
    return redirect("people")


def _new_programme(
    request: PortalRequest, form: ProgrammeForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "setup/new_programme.html", {"form": form}, status=status)


urlpatterns = [
    path("setup", set_up, name="setup"),
    path("setup/programmes/new", new_programme, name="new-programme"),
    path("setup/people", people_step, name="setup-people"),
    path("setup/defaults", keep_kind_defaults, name="keep-defaults"),
    path("setup/open", open_now, name="open-programme"),
    path("setup/close", close_now, name="close-programme"),
]
