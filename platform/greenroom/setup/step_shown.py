"""How the steps of the set-up are shown: their words, what is in force, and what is kept where
somebody else was quicker."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.credentials.commands import in_charge
from accounts.credentials.doors import PortalRequest, only_for
from accounts.credentials.rules import Scope
from accounts.programmes.commands import ChangedMeanwhile
from accounts.programmes.models import Programme, Role
from accounts.programmes.rules import ADMINISTRATOR
from core.errors import Absent, Refusal
from greenroom.setup.history import history, shown_changes
from greenroom.setup.rules import StepCode
from greenroom.setup.words import TITLES

F = TypeVar("F", bound=forms.Form)
managing = only_for(Role.MANAGER, ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Step:
    """How one step is shown. ``effect`` stands beside the button: what pressing it will do."""

    code: StepCode
    lead: Any
    effect: Any = ""
    template: str = "setup/step.html"

    @property
    def title(self) -> Any:
        return TITLES[self.code]

    @property
    def url(self) -> str:
        return reverse(f"setup-{self.code}")


STEPS = {
    step.code.value: step
    for step in (
        Step(
            StepCode.PARTICULARS,
            gettext_lazy("What the programme is called, when it runs, and what you expect of it."),
            gettext_lazy("Everybody reads it on the programme's public page from now on."),
        ),
        Step(
            StepCode.CALENDAR,
            gettext_lazy("When the programme's people work. Promises are checked against it."),
            gettext_lazy(
                "Everybody reads it on the programme's public page from now on. Clocks that run"
                " already keep their due time."
            ),
            "setup/calendar.html",
        ),
        Step(
            StepCode.AGREEMENT,
            gettext_lazy("The terms between the programme and its testers."),
            gettext_lazy(
                "Every tester is asked to answer it. Until they do, the version they accepted"
                " governs; who declines keeps reading, export and pay."
            ),
            "setup/agreement.html",
        ),
        Step(
            StepCode.CONSENTS,
            gettext_lazy(
                "Four things one may ask for besides the work itself. Each is off until somebody"
                " says yes, for a programme or for one clip."
            ),
            gettext_lazy(
                "Testers are asked in these words from now on. Who said yes to earlier words"
                " said yes to those; their act stays on record with them."
            ),
            "setup/consents.html",
        ),
        Step(
            StepCode.CLAUSES,
            gettext_lazy("By what clips are judged. The list of grounds is closed."),
            gettext_lazy(
                "What is put forward from now on is judged by it. What was put forward before keeps"
                " the version it was sealed with."
            ),
            "setup/clauses.html",
        ),
        Step(
            StepCode.CHARTER,
            gettext_lazy("How soon clips are decided, and how long one may appeal."),
            gettext_lazy(
                "What is put forward from now on gets this clock. What waits already keeps its own."
            ),
        ),
        Step(
            StepCode.RATES,
            gettext_lazy("What each payable act earns. A rate begins now or later, never before."),
            gettext_lazy(
                "Everybody reads it on the programme's public page. What was earned stays as it was"
                " earned; where this one begins, the one before ends."
            ),
            "setup/rates.html",
        ),
        Step(
            StepCode.CREDITS,
            gettext_lazy("How much may be rendered: altogether, and by somebody new."),
            template="setup/credits.html",
        ),
        Step(
            StepCode.MONEY,
            gettext_lazy("What is set aside to pay people with."),
            template="setup/money.html",
        ),
        Step(
            StepCode.MODELS,
            gettext_lazy("Which of the models offered here testers may use."),
            gettext_lazy("New jobs may use these and no others. Jobs that wait go on."),
        ),
        Step(
            StepCode.RETENTION,
            gettext_lazy("How long the files of clips are kept, by their state."),
            gettext_lazy(
                "It counts for clips that are here already, too. Nothing goes before its owner was"
                " warned and the days of warning have passed."
            ),
        ),
    )
}


def managing_now(request: PortalRequest) -> AbstractContextManager[UUID]:
    """Around a command that sets the reader's programme up; see ``in_charge``."""
    return in_charge(request.actor, Scope.PROGRAMME_WRITE, request.actor.programme)


def standing(step: str, versions: list[Any]) -> dict[str, Any]:
    """For a template: what is in force, the number that comes next, and what came before."""
    return {
        "in_force": versions[0] if versions else None,
        "next_number": versions[0].number + 1 if versions else 1,
        "versions": history(step, versions),
    }


def seen(versions: list[Any]) -> dict[str, int]:
    return {"seen": versions[0].number if versions else 0}


def conflict(changed: ChangedMeanwhile | None, time_zone: str = "UTC") -> dict[str, Any]:
    """``time_zone``: the programme's, where days of its may have changed."""
    if changed is None:
        return {}
    changes = shown_changes(changed.facts["changes"], time_zone=time_zone)
    return {"is_conflict": True, "changed": changes}


def from_now(typed: QueryDict, refusal: ChangedMeanwhile) -> QueryDict:
    """What was typed, as if it had been made from the version that is in force now: whoever saves
    it again has seen that one."""
    again = typed.copy()
    again["seen"] = str(refusal.facts["number"])
    return again


def with_refusal(form: F, refusal: Refusal) -> F:
    """The form as it was typed, and the sentence beside its field. What is absent stays absent."""
    if refusal.http_status == 404:
        raise refusal
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
    return form


def published(request: PortalRequest, what: Any, number: int) -> HttpResponse:
    words = _("%(what)s: version %(number)s is in force.") % {"what": what, "number": number}
    messages.success(request, words)
    return redirect("setup")


def programme_of(request: PortalRequest) -> Programme:
    """Raises ``Absent`` for somebody in none."""
    if request.programme is None:
        raise Absent
    return request.programme
