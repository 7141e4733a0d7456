"""The steps of the set-up that one form publishes in versions: each on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from accounts.agreements.commands import publish_agreement
from accounts.agreements.rules import word_diff
from accounts.calendars.commands import publish_calendar
from accounts.credentials.doors import PortalRequest
from accounts.programmes.commands import ChangedMeanwhile, publish_particulars
from accounts.programmes.queries import particulars_in_force
from accounts.retention.commands import publish_retention
from core.errors import Refusal
from generation.catalogue.commands import allow_models
from generation.catalogue.queries import models_offered
from generation.clips.rules import Allows
from greenroom.setup import defaults
from greenroom.setup.history import versions_of
from greenroom.setup.step_forms import (
    CalendarForm,
    ModelsForm,
    ParticularsForm,
    RetentionForm,
    StepForm,
)
from greenroom.setup.step_shown import (
    STEPS,
    conflict,
    from_now,
    managing,
    managing_now,
    programme_of,
    published,
    seen,
    standing,
    with_refusal,
)
from greenroom.setup.terms_forms import AgreementForm, CharterForm, PolicyForm
from review.policies.commands import publish_charter, publish_policy


@dataclass(frozen=True, slots=True)
class Published:
    """What a step is made of that one form publishes in versions.

    ``of`` gives the form's first values from the version in force, ``usual`` those of the kind
    default before there is one. ``publish`` calls the one command.
    """

    form: Callable[..., StepForm]
    of: Callable[[Any], dict[str, Any]]
    usual: Callable[[], dict[str, Any]]
    publish: Callable[[PortalRequest, Any, UUID], Any]


@require_http_methods(["GET", "POST"])
@managing
def step_page(request: PortalRequest, step: str) -> HttpResponse:
    made_of = PUBLISHED[step]
    if request.method == "GET":
        versions = versions_of(step, request.actor.programme)
        initial = made_of.of(versions[0]) if versions else made_of.usual()
        return _show(request, step, made_of.form(initial=initial | seen(versions)))
    form = made_of.form(request.POST)
    if not form.is_valid():
        return _show(request, step, form, status=422)
    if request.POST.get("deed") == "preview":
        return _show(request, step, form, preview=form.cleaned_data.get("text"))
    try:
        with managing_now(request) as by:
            version = made_of.publish(request, form, by)
    except ChangedMeanwhile as refusal:
        return _show(request, step, made_of.form(from_now(request.POST, refusal)), changed=refusal)
    except Refusal as refusal:
        return _show(request, step, with_refusal(form, refusal), status=refusal.http_status)
    return published(request, STEPS[step].title, version.number)


def _show(
    request: PortalRequest,
    step: str,
    form: StepForm,
    *,
    changed: ChangedMeanwhile | None = None,
    preview: str | None = None,
    status: int = 200,
) -> HttpResponse:
    versions = versions_of(step, request.actor.programme)
    time_zone = programme_of(request).time_zone
    context = {
        "step": STEPS[step],
        "form": form,
        "zone": time_zone,
        **standing(step, versions),
        **conflict(changed, time_zone),
    }
    if preview is not None and versions:
        pieces = word_diff(versions[0].text, preview)
        context["preview"] = {"diff": pieces, "is_same": versions[0].text == preview}
    template = STEPS[step].template
    return render(request, template, context, status=changed.http_status if changed else status)


def _publish_particulars(request: PortalRequest, form: ParticularsForm, by: UUID) -> Any:
    # Credits have a page of their own; ``seen`` sees to it that they are those the form stood on.
    before = particulars_in_force(request.actor.programme)
    return publish_particulars(
        programme_id=request.actor.programme,
        wish=form.wish(before.credits_per_tester) if before else form.wish(),
        seen=form.cleaned_data["seen"],
        actor=by,
    )


def _publish_calendar(request: PortalRequest, form: CalendarForm, by: UUID) -> Any:
    return publish_calendar(
        programme_id=request.actor.programme,
        week=form.week(),
        holidays=form.cleaned_data["holidays"],
        seen=form.cleaned_data["seen"],
        actor=by,
    )


def _publish_agreement(request: PortalRequest, form: AgreementForm, by: UUID) -> Any:
    said = form.cleaned_data
    return publish_agreement(
        programme_id=request.actor.programme,
        text=said["text"],
        summary=said["summary"],
        changes=said["changes"],
        answer_by=form.answer_until(programme_of(request).time_zone),
        seen=said["seen"],
        actor=by,
    )


def _publish_policy(request: PortalRequest, form: PolicyForm, by: UUID) -> Any:
    return publish_policy(
        programme_id=request.actor.programme,
        introduction=form.cleaned_data["introduction"],
        clauses=form.clauses(),
        files_before=Allows(form.cleaned_data["files_before"]),
        seen=form.cleaned_data["seen"],
        actor=by,
    )


def _publish_charter(request: PortalRequest, form: CharterForm, by: UUID) -> Any:
    return publish_charter(programme_id=request.actor.programme, actor=by, **form.cleaned_data)


def _allow_models(request: PortalRequest, form: ModelsForm, by: UUID) -> Any:
    return allow_models(programme_id=request.actor.programme, actor=by, **form.cleaned_data)


def _publish_retention(request: PortalRequest, form: RetentionForm, by: UUID) -> Any:
    return publish_retention(
        programme_id=request.actor.programme,
        wish=form.wish(),
        seen=form.cleaned_data["seen"],
        actor=by,
    )


def _models_form(data: Any = None, *, initial: dict[str, Any] | None = None) -> ModelsForm:
    # Names of models are the same in every language.
    names: dict[str, str] = {}
    for model in models_offered():  # the newest revision of each first
        names.setdefault(model.slug, model.name)
    offered = [
        (slug, format_html("<span data-said>{}</span>", name)) for slug, name in names.items()
    ]
    return ModelsForm(data, initial=initial, offered=offered)


def _first_agreement() -> dict[str, Any]:
    return {"summary": defaults.AGREEMENT_SUMMARY, "text": defaults.AGREEMENT_TEXT}


def _first_charter() -> dict[str, Any]:
    return {
        "decide_within_hours": defaults.DECIDE_WITHIN_HOURS,
        "appeal_within_hours": defaults.APPEAL_WITHIN_HOURS,
        "appeal_open_days": defaults.APPEAL_OPEN_DAYS,
        "words": defaults.CHARTER,
    }


PUBLISHED = {
    "particulars": Published(ParticularsForm, ParticularsForm.of, dict, _publish_particulars),
    "calendar": Published(
        CalendarForm,
        CalendarForm.of,
        lambda: CalendarForm.of_week(defaults.WEEK),
        _publish_calendar,
    ),
    "agreement": Published(AgreementForm, AgreementForm.of, _first_agreement, _publish_agreement),
    "clauses": Published(
        PolicyForm,
        PolicyForm.of,
        lambda: PolicyForm.of_clauses(defaults.INTRODUCTION, defaults.CLAUSES),
        _publish_policy,
    ),
    "charter": Published(CharterForm, CharterForm.of, _first_charter, _publish_charter),
    "models": Published(
        _models_form,
        ModelsForm.of,
        lambda: {"slugs": list(dict.fromkeys(model.slug for model in models_offered()))},
        _allow_models,
    ),
    "retention": Published(
        RetentionForm, RetentionForm.of, lambda: asdict(defaults.RETENTION), _publish_retention
    ),
}

urlpatterns = [
    path(f"setup/{step}", step_page, {"step": step}, name=f"setup-{step}") for step in PUBLISHED
]
