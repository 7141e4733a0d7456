"""The composer, a job's page, and the buttons on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.agreements.queries import governing_acceptance
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.programmes.queries import why_not_working
from accounts.quotas.models import Kind
from accounts.quotas.queries import Left, quota_of
from core.api.snippets import Asked, Snippet, snippets
from core.audit.queries import events_of
from core.errors import InvalidOrder, Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import (
    by_name,
    is_ready,
    model_offered,
    models_allowed,
    usual_model,
    usual_size,
)
from generation.catalogue.rules import unknown_words
from generation.catalogue.words import generated_words, unknown_sentence
from generation.jobs import style_choice
from generation.jobs.commands import cancel_job, resume_job, submit_job
from generation.jobs.composer import END, Composer, ShownQuote, shown_quote, tier_words
from generation.jobs.extensions import clip_id_of, extended, may_follow
from generation.jobs.folder import has_preview
from generation.jobs.models import Job
from generation.jobs.programs import body_of
from generation.jobs.queries import (
    Standing,
    conditions_of,
    job_for,
    job_styles_of,
    standing_of,
    standings_of,
)
from generation.jobs.rules import OVER, State
from generation.jobs.words import (
    extended_words,
    extension_lines,
    failure_sentence,
    pictures_of,
    record_sentence,
    refund_sentence,
    style_lines,
)
from generation.references.queries import own_references, reference_for
from generation.styles.queries import styles_allowed


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as the templates show it."""

    public_id: str
    url: str
    cancel_url: str | None
    again_url: str
    clip_url: str | None
    state: str
    stage: str
    steps_done: int
    steps: int
    place: int | None
    eta_s: int | None
    prompt: str
    model_name: str
    price_credits: int
    failure_sentence: str
    refund_sentence: str
    recipe: list[tuple[str, str]]
    preview_url: str
    has_preview: bool


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    role: str
    sentence: str
    url: str | None = None


def shown_job(job: Job, standing: Standing) -> ShownJob:
    public_id = shown("job", job.id)
    is_over = standing.state in {state.value for state in OVER}
    return ShownJob(
        public_id=public_id,
        url=reverse("job", args=[public_id]),
        cancel_url=None if is_over else reverse("cancel-job", args=[public_id]),
        again_url=f"{reverse('new-clip')}?again={public_id}",
        clip_url=reverse("clip", args=[shown("clip", standing.clip_id)])
        if standing.clip_id
        else None,
        state=standing.state,
        stage=standing.stage,
        steps_done=standing.steps_done,
        steps=standing.steps,
        place=standing.place,
        eta_s=standing.eta_s,
        prompt=job.prompt,
        model_name=job.model.name,
        price_credits=job.price_credits,
        failure_sentence=failure_sentence(job.failure_code) if job.failure_code else "",
        refund_sentence=_refund(job, standing),
        recipe=_facts(job),
        preview_url=f"/jobs/{public_id}/preview",
        has_preview=has_preview(job),
    )


def shown_jobs(jobs: list[Job]) -> list[ShownJob]:
    """Any number of jobs with one query for where they stand."""
    standings = standings_of([job.id for job in jobs])
    return [shown_job(job, standings[job.id]) for job in jobs]


@signed_in
def new_clip(request: PortalRequest) -> HttpResponse:
    """The composer. A form sent twice makes one job: its hidden key is an idempotency key."""
    if request.method != "POST":
        return _composer(request, _blank(request))
    form = _form(request, request.POST)
    if not form.is_valid():
        return _composer(request, form, status=422)
    try:
        _must_cost_what_was_shown(request, form)
        job = submit_job(
            actor=request.actor, wish=form.wish(), once=_once(request, form), answer=_kept
        )
    except AlreadyAnswered as first:
        return redirect("job", first.body["job"])
    except Refusal as refusal:
        return _composer(request, form, refusal=refusal, status=refusal.http_status)
    return redirect("job", shown("job", job.id))


@signed_in
def price(request: PortalRequest) -> HttpResponse:
    """The quote alone for a script, the whole composer with its quote for everybody else."""
    form = _form(request, _suggested(request, request.POST or request.GET))
    if request.headers.get("HX-Request") or request.headers.get("X-Requested-With"):
        context = {
            "quote": shown_quote(form, _quota(request).left, actor=request.actor),
            "model": _chosen_model(form),
            "form": form,
        }
        return render(request, "generation/jobs/_answer.html", context)
    return _composer(request, form)


@signed_in
@require_POST
def programs(request: PortalRequest) -> HttpResponse:
    """The composer again, and beside it the programs that order what stands in it."""
    form = _form(request, _suggested(request, request.POST))
    if not form.is_valid():
        return _composer(request, form, status=422)
    asked = Asked(
        method="POST",
        url=request.build_absolute_uri(reverse("api-jobs")),
        body=body_of(form.wish()),
        key=f"order-{uuid4().hex[:12]}",  # the form's own is for the form
    )
    return _composer(request, form, as_programs=snippets(asked))


@signed_in
def job_page(request: PortalRequest, job: str) -> HttpResponse:
    found = job_for(request.actor, job)
    standing = standing_of(found.id)
    if request.headers.get("HX-Request"):
        return _card(request, found)
    return render(
        request,
        "generation/jobs/job.html",
        {
            "job": shown_job(found, standing),
            "pictures": pictures_of(found, is_mine=True),
            "record": _record(found),
        },
    )


@signed_in
@require_POST
def cancel(request: PortalRequest, job: str) -> HttpResponse:
    cancelled = cancel_job(actor=request.actor, shown_id=job)
    if request.headers.get("HX-Request"):
        return _card(request, cancelled)
    return redirect("job", job)


@signed_in
@require_POST
def resume(request: PortalRequest, job: str) -> HttpResponse:
    resume_job(actor=request.actor, shown_id=job)
    return redirect("job", job)


def _card(request: HttpRequest, job: Job) -> HttpResponse:
    card = shown_job(job, standing_of(job.id))
    return render(request, "generation/jobs/_job.html", {"job": card})


def _composer(
    request: PortalRequest,
    form: Composer,
    *,
    refusal: Refusal | None = None,
    as_programs: list[Snippet] | None = None,
    status: int = 200,
) -> HttpResponse:
    quota = _quota(request)
    quoted = (
        shown_quote(form, quota.left, actor=request.actor)
        if form.is_bound
        else _first_quote(request, form, quota)
    )
    # A price preview is no attempt to submit: an empty prompt is not wrong yet.
    if form.is_bound and status == 200:
        form.errors.clear()
    programme_id = request.actor.programme
    has_accepted = governing_acceptance(programme_id, request.actor.party_id) is not None
    context = {
        "form": form,
        "extends": _extended(request, form),
        "quote": quoted,
        "programs": as_programs,
        "refusal": refusal,
        "model": _chosen_model(form),
        "needs_agreement": refusal is None and not has_accepted,
        "has_accepted": has_accepted,
        "why_not_working": why_not_working(programme_id),
    }
    return render(request, "generation/jobs/new.html", context, status=status)


def _blank(request: PortalRequest) -> Composer:
    """The empty form, or one filled with an earlier job of the maker's own."""
    models = _models(request)
    initial: dict[str, Any] = {"key": uuid4().hex, "seconds": 4, "tier": "standard"}
    first = usual_model(models)
    if first is not None:
        width, height = usual_size(first)
        initial |= {"model": _name_of(first, models), "size": f"{width}x{height}"}
    if chosen := request.GET.get("first"):
        initial["first_picture"] = shown("reference", reference_for(request.actor, chosen).id)
    source = request.GET.get("again") or request.GET.get("continue")
    if source:
        initial |= _like(job_for(request.actor, source), request, models)
    if whole := request.GET.get("extend"):
        initial |= _extending(job_for(request.actor, whole), request, models)
    return _form(request, initial=initial)


def _extended(request: PortalRequest, form: Composer) -> dict[str, Any] | None:
    """The clip that is to go on, as the form says it; None where it names none of theirs."""
    actor, name = request.actor, form["extends"].value()
    try:
        source = extended(name, programme_id=actor.programme, party_id=actor.party_id)
    except InvalidOrder:
        return None  # the quote says why
    if source is None:
        return None
    return {
        "url": reverse("clip", args=[shown("clip", clip_id_of(source))]),
        "words": extended_words(source),
    }


def _suggested(request: PortalRequest, data: QueryDict) -> QueryDict:
    """The form with the example or the word in it whose button was pressed, without a script."""
    example, word = data.get("example"), data.get("word")
    if not example and not word:
        return data
    changed = data.copy()
    prompt = data.get("prompt", "").strip()
    changed["prompt"] = example or (f"{prompt} {word}" if prompt else str(word))
    return changed


def _form(request: PortalRequest, data: Any = None, **options: Any) -> Composer:
    references = list(own_references(request.actor))
    styles = list(styles_allowed(request.actor.programme))
    return Composer(data, models=_models(request), references=references, styles=styles, **options)


def _models(request: PortalRequest) -> list[VideoModel]:
    return list(models_allowed(request.actor.programme))


def _name_of(model: VideoModel, models: list[VideoModel]) -> str | None:
    """As the form calls this revision, or the newest of its model where it is offered no more."""
    named = by_name(models)
    same = [name for name, one in named.items() if one.id == model.id]
    others = [name for name, one in named.items() if one.slug == model.slug]
    return next(iter((*same, *others)), None)


def _like(job: Job, request: PortalRequest, models: list[VideoModel]) -> dict[str, Any]:
    again = "again" in request.GET
    # A model that the programme uses no more is not offered again, and neither is its size.
    model = _name_of(job.model, models)
    chosen = {"model": model, "size": f"{job.width}x{job.height}", "tier": job.tier}
    return (chosen if model else {}) | {
        "prompt": job.prompt,
        "seconds": _seconds(job),
        "seed": job.seed if again else None,
        "continues": shown("thread", job.thread_id),
        "extends": shown("clip", job.extends_id) if again and job.extends_id else "",
        **_pictures_again(job),
        **_styles_again(job),
    }


def _seconds(job: Job) -> float:
    return round(job.frames * job.rate_den / job.rate_num, 3)


def _extending(job: Job, request: PortalRequest, models: list[VideoModel]) -> dict[str, Any]:
    """Of the same size and in the same thread, by its own model where that begins with pictures."""
    able = next((model for model in _best_first(job, models) if may_follow(job, model)), None)
    chosen: dict[str, Any] = {}
    if able is not None and able.slug != job.model.slug:
        chosen = {"model": _name_of(able, models), "tier": "standard"}
    return (
        _like(job, request, models)
        | {"seconds": min(4, _seconds(job)), "size": f"{job.width}x{job.height}", "seed": None}
        | chosen
        | {"extends": shown("job", job.id), "last_picture": ""}
    )


def _best_first(job: Job, models: list[VideoModel]) -> list[VideoModel]:
    return sorted(models, key=lambda model: model.slug != job.model.slug)


def _pictures_again(job: Job) -> dict[str, str]:
    """Those that the form can say; what was removed meanwhile is not among the choices."""
    fields = {0: "first_picture", job.frames - 1: "last_picture"}
    again = {}
    for one in conditions_of(job):
        last = one.reference.frames - 1
        is_sayable = one.strength == 1 and one.still.frame in (0, last)
        if one.frame in fields and is_sayable and one.reference.removed_at is None:
            end = END if one.still.frame else ""
            again[fields[one.frame]] = f"{shown('reference', one.reference_id)}{end}"
    return again


def _styles_again(job: Job) -> dict[str, Any]:
    """Those that are offered no more are not among the choices."""
    used = job_styles_of(job)
    weights = {f"{style_choice.WEIGHT}{one.style.slug}": one.weight for one in used}
    return {"styles": [one.style.slug for one in used], **weights}


def _first_quote(request: PortalRequest, form: Composer, quota: Left) -> ShownQuote | None:
    values = {name: form[name].value() for name in form.fields}
    filled = _form(request, {name: value for name, value in values.items() if value is not None})
    return shown_quote(filled, quota.left, actor=request.actor)


def _must_cost_what_was_shown(request: PortalRequest, form: Composer) -> None:
    """The price may have changed since the page was made; then the maker sees the new one first."""
    seen = request.POST.get("shown_credits", "")
    quoted = shown_quote(form, _quota(request).left, actor=request.actor)
    if seen and quoted and not quoted.refusal and seen != str(quoted.credits):
        raise InvalidOrder(
            "price_changed",
            ngettext(
                "The price is %(now)s credit now. Press again if that is all right.",
                "The price is %(now)s credits now. Press again if that is all right.",
                quoted.credits,
            )
            % {"now": quoted.credits},
            now=quoted.credits,
        )


def _once(request: PortalRequest, form: Composer) -> Once:
    payload = {name: str(value) for name, value in form.cleaned_data.items()}
    actor = request.actor
    return Once.of(
        scope=f"{actor.party_id}:{actor.programme}:new-clip",
        key=form.cleaned_data["key"],
        payload=payload,
    )


def _kept(job: Job) -> tuple[int, dict[str, str]]:
    return 303, {"job": shown("job", job.id)}


def _quota(request: PortalRequest) -> Left:
    return quota_of(
        programme_id=request.actor.programme,
        party_id=request.actor.party_id,
        lineage_id=request.actor.lineage_id,
        kind=Kind.CREDITS,
    )


def _chosen_model(form: Composer) -> dict[str, Any] | None:
    chosen = form["model"].value()
    model = model_offered(chosen) if chosen else None
    if model is None:
        return None
    words = (
        _("revision %(revision)s, %(licence)s")
        if is_ready(model)
        else _("revision %(revision)s, %(licence)s. Its engine is not installed here yet.")
    )
    return {
        "name": model.name,
        "engine_words": words % {"revision": model.revision, "licence": model.licence},
        "shows_noise": model.shows_noise,
        "has_words": bool(model.words),
        "unknown_words": unknown_sentence(_unknown_words(form, model)),
    }


def _unknown_words(form: Composer, model: VideoModel) -> list[str]:
    chosen = form["styles"].value() or []
    triggers = [style.trigger for style in form.styles if style.slug in chosen]
    return unknown_words(form["prompt"].value() or "", model.words, triggers)


def _refund(job: Job, standing: Standing) -> str:
    if standing.state not in (State.FAILED, State.CANCELLED):
        return ""
    return refund_sentence(price=job.price_credits, charged=job.reservation.settled or 0)


def _facts(job: Job) -> list[tuple[str, str]]:
    rate = str(job.rate_num) if job.rate_den == 1 else f"{job.rate_num}/{job.rate_den}"
    return [
        (_("Model"), f"{job.model.name} · {job.model.revision}"),
        *style_lines(job),
        (_("Tier"), tier_words(job.tier)),
        (_("Seed"), str(job.seed)),
        (_("Size"), _size(job)),
        (_("Frames"), f"{job.frames} · {rate}/s"),
        *extension_lines(job),
    ]


def _size(job: Job) -> str:
    made = generated_words(job.width, job.height, (job.generated_width, job.generated_height))
    size = f"{job.width} × {job.height}"
    return f"{size} ({made})" if made else size


def _record(job: Job) -> list[Entry]:
    return [
        Entry(
            at=event.at,
            role=_("You") if event.actor_party_id == job.party_id else _("Greenroom"),
            sentence=record_sentence(event.kind, event.facts),
        )
        for event in events_of(job.id)
    ]


urlpatterns = [
    path("clips/new", new_clip, name="new-clip"),
    path("clips/new/price", price, name="price"),
    path("clips/new/programs", programs, name="order-programs"),
    path("jobs/<str:job>", job_page, name="job"),
    path("jobs/<str:job>/cancel", cancel, name="cancel-job"),
    path("jobs/<str:job>/resume", resume, name="resume-job"),
]
