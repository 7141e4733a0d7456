"""Jobs: order a clip, follow it, stop it; and its exact price beforehand."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from django.core.validators import RegexValidator
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.quotas.models import Kind
from accounts.quotas.queries import quota_of
from core.api import (
    Endpoint,
    PublicId,
    Ratio,
    Seconds,
    Shape,
    Text,
    TimesWish,
    Whole,
    operation,
    page_of,
    within,
)
from core.ids import shown
from generation.catalogue.models import VideoModel
from generation.catalogue.rules import unknown_words
from generation.catalogue.words import unknown_sentence
from generation.jobs.commands import cancel_job, resume_job, submit_job
from generation.jobs.conditions import WishedCondition
from generation.jobs.extensions import clip_id_of
from generation.jobs.folder import has_preview
from generation.jobs.following import followed
from generation.jobs.models import Job, JobCondition
from generation.jobs.orders import Quote, Wish, quote
from generation.jobs.queries import (
    Standing,
    job_styles_of,
    jobs_asked_for,
    standing_of,
    standings_of,
)
from generation.jobs.rules import OVER, State
from generation.jobs.styles import WishedStyle
from generation.styles.models import Style

SIZE = r"^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}\Z"
EXAMPLE = {
    "prompt": "A lighthouse at dusk, waves breaking on the rocks",
    "model": "still",
    "size": "640x360",
    "seconds": 2,
    "seed": 7,
}


class ConditionWish(Shape):
    reference = Text(help_text=_("A reference of yours."))
    at = serializers.ChoiceField(
        [("first", _("First frame")), ("last", _("Last frame"))],
        required=False,
        help_text=_("Where the clip shows it; or say frame, or seconds. Without any: first."),
    )
    frame = Whole(required=False, help_text=_("The frame at which it is shown, from 0."))
    seconds = Seconds(required=False, help_text=_("The second, taken to the nearest frame."))
    moment = Seconds(
        required=False,
        help_text=_("Which second of a reference that is a clip; else its first."),
    )
    from_end = serializers.BooleanField(
        required=False, help_text=_("true: the last frame of a reference that is a clip.")
    )
    strength = serializers.FloatField(
        required=False,
        help_text=_(
            "Above 0, at most 1: how exactly the picture is held. Below 1 only where the model's"
            " “takes_strength” says so."
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("at", "frame", "seconds")) > 1:
            raise serializers.ValidationError({"at": _("Say at, frame or seconds, and only one.")})
        return attrs


class StyleWish(Shape):
    # DRF has another use for the word, which no shape of ours needs.
    style = Text(help_text=_("The slug of a style that fits the model."))  # type: ignore[assignment]
    weight = serializers.FloatField(
        required=False, help_text=_("How strongly, within its range; without it: as usual.")
    )


class WarningShown(Shape):
    """What will not stop an order, and may not be what was meant."""

    code = serializers.ChoiceField([("words_unknown", _("Words the model does not know"))])
    sentence = serializers.CharField()
    words = serializers.ListField(child=serializers.CharField())


class QuoteWish(Shape):
    model = Text(
        help_text=_("The slug of a model: the newest revision that is offered, or slug@revision.")
    )
    size = Text(
        validators=[RegexValidator(SIZE, _("A size is written like 1280x720."))],
        help_text=_("One of the model's sizes, like 1280x720."),
    )
    seconds = Seconds(
        help_text=_(
            "Taken to the nearest length that the model makes; of an extension: what is new."
        )
    )
    tier = Text(required=False, help_text=_("One of the model's tiers; usually “standard”."))
    conditions = ConditionWish(
        many=True,
        required=False,
        help_text=_("Pictures that the clip shows, where the model takes any."),
    )
    prompt = Text(
        required=False,
        allow_blank=True,
        help_text=_("To be warned of words that the model does not know; the price is the same."),
    )
    styles = StyleWish(
        many=True,
        required=False,
        help_text=_("Up to three, in the order in which they are to be used."),
    )

    extends = Text(
        required=False,
        help_text=_(
            "A finished clip of yours, or its job: the new one begins with its last frame, and what"
            " is made is the whole of both, two minutes at most. Same size, same frame rate; the"
            " price is for what is new."
        ),
    )


class JobWish(QuoteWish):
    prompt = Text(allow_blank=True, help_text=_("What the clip should show."))
    seed = Whole(
        required=False, help_text=_("The same seed and order give the same clip; else random.")
    )
    thread = Text(required=False, help_text=_("A thread of yours that this clip continues."))
    remix_of = Text(
        required=False, help_text=_("A job of yours whose recipe this takes, with other words.")
    )


class QuotaLeft(Shape):
    limit = serializers.IntegerField()
    reserved = serializers.IntegerField()
    spent = serializers.IntegerField()
    left = serializers.IntegerField()


class QuoteShown(Shape):
    model = serializers.CharField()
    revision = serializers.CharField()
    size = serializers.CharField()
    tier = serializers.CharField()
    steps = serializers.IntegerField()
    frames = serializers.IntegerField()
    frame_rate = Ratio()
    seconds = Seconds()
    extends = PublicId("clip", allow_null=True)
    total_frames = serializers.IntegerField(help_text=_("With those of the clip that it extends."))
    total_seconds = Seconds()
    price_credits = serializers.IntegerField(help_text=_("What would be reserved, exactly."))
    quota = QuotaLeft()
    is_within_quota = serializers.BooleanField()
    warnings = WarningShown(many=True)


class ConditionShown(Shape):
    reference = PublicId("reference")
    frame = serializers.IntegerField(help_text=_("Of the clip, from 0."))
    reference_frame = serializers.IntegerField(help_text=_("Of the reference, from 0."))
    strength = serializers.FloatField()
    picture_sha256 = serializers.CharField(help_text=_("Of the picture that the engine gets."))


class StyleUsed(Shape):
    style = serializers.CharField(source="style.slug")  # type: ignore[assignment]  # DRF's own word
    revision = serializers.IntegerField(source="style.revision")
    name = serializers.CharField(source="style.name")
    weight = serializers.FloatField()
    sha256 = serializers.CharField(source="style.sha256")


class JobsWish(TimesWish):
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only jobs in this state.")
    )
    is_live = serializers.BooleanField(
        required=False, help_text=_("true: only those that are not over; false: only the others.")
    )
    model = Text(required=False, help_text=_("Only jobs of this model, by its slug."))
    thread = PublicId("thread", required=False, help_text=_("Only jobs of this thread."))
    q = Text(required=False, help_text=_("Only jobs whose prompt holds these words."))


class JobShown(Shape):
    id = PublicId("job")
    url = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    stage = serializers.CharField(help_text=_("Where the rendering is, empty when it is not."))
    steps_done = serializers.IntegerField()
    steps = serializers.IntegerField()
    place = serializers.IntegerField(
        allow_null=True, help_text=_("Its place among those waiting, from 1.")
    )
    eta_s = serializers.IntegerField(
        allow_null=True, help_text=_("A guess in seconds, null without grounds for one.")
    )
    model = serializers.CharField()
    revision = serializers.CharField()
    tier = serializers.CharField()
    prompt = serializers.CharField()
    seed = serializers.IntegerField()
    warnings = WarningShown(many=True)
    conditions = ConditionShown(many=True, help_text=_("Pictures that the clip shows."))
    styles = StyleUsed(many=True, help_text=_("Styles that it is made with."))
    size = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frames = serializers.IntegerField()
    frame_rate = Ratio()
    seconds = Seconds()
    extends = PublicId(
        "clip", allow_null=True, help_text=_("The clip whose last frame it begins with.")
    )
    total_frames = serializers.IntegerField(
        help_text=_("Of the clip it makes: with those of the clip that it extends.")
    )
    total_seconds = Seconds()
    price_credits = serializers.IntegerField()
    charged_credits = serializers.IntegerField(
        allow_null=True, help_text=_("What it cost in the end; null until it is over.")
    )
    thread = PublicId("thread")
    remix_of = PublicId(
        "job", allow_null=True, help_text=_("The job whose recipe it took, with other words.")
    )
    clip = PublicId("clip", allow_null=True)
    preview = serializers.CharField(
        allow_null=True, help_text=_("Where a rough picture of it is, while it runs and has one.")
    )
    attempts = serializers.IntegerField()
    is_stopping = serializers.BooleanField(help_text=_("Asked to stop; it ends at the next step."))
    failure_code = serializers.CharField(help_text=_("Why it failed, else empty."))
    queued_at = serializers.DateTimeField()
    held_until = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class Jobs(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("List your jobs"),
        words=_("Of this programme, newest first."),
        query=JobsWish,
        answers=JobShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        mine = jobs_asked_for(self.actor, wish).select_related("reservation")
        page = page_of(within(mine, wish, "queued_at"), wish, by=("-queue_number",))
        standings = standings_of(job.id for job in page.rows)
        return self.answer(page.shown([_shown(job, standings[job.id]) for job in page.rows]))

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Order a clip"),
        words=_(
            "Checks everything, reserves the exact price and queues one job, or changes nothing."
            " Send an Idempotency-Key, so that trying again never orders twice."
        ),
        asks=JobWish,
        answers=JobShown,
        status=201,
        is_repeatable=True,
        refuses=(404, 429, 503, 507),
        example=EXAMPLE,
    )
    def post(self, request: Request) -> Response:
        wish = _wish(self.asked())
        first: dict[str, Any] = {}

        def answer(job: Job) -> tuple[int, Any]:
            first.update(_now(job))
            return self.operation.status, first

        job = submit_job(actor=self.actor, wish=wish, once=self.once(), answer=answer)
        return self.answer(first or _now(job))


class OneJob(Endpoint):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("Read one job"),
        words=_("To follow a job, listen to /events instead of asking again and again."),
        answers=JobShown,
        refuses=(404,),
    )
    def get(self, request: Request, job_id: str) -> Response:
        found = followed(self.actor, job_id)
        return self.answer(_shown(found.job, found.standing))


class Cancel(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Cancel a job"),
        words=_(
            "While it waits, everything comes back. While it renders, it stops at the next step"
            " and the steps done are charged. Cancelling twice is fine."
        ),
        answers=JobShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, job_id: str) -> Response:
        return self.answer(_now(cancel_job(actor=self.actor, shown_id=job_id)))


class Resume(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Let a held job go on"),
        words=_(
            "For its owner, signed in to the portal: the credential that ordered it was revoked,"
            " and the present one takes its place. A token cannot do this."
        ),
        answers=JobShown,
        refuses=(404, 409),
    )
    def post(self, request: Request, job_id: str) -> Response:
        return self.answer(_now(resume_job(actor=self.actor, shown_id=job_id)))


class Quotes(Endpoint):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Ask for the exact price"),
        words=_("Orders nothing. Price shown = price charged."),
        asks=QuoteWish,
        answers=QuoteShown,
        refuses=(503,),
        example={name: EXAMPLE[name] for name in ("model", "size", "seconds")},
    )
    def post(self, request: Request) -> Response:
        actor = self.actor
        wish = _wish(self.asked())
        quoted = quote(wish, programme_id=actor.programme, party_id=actor.party_id)
        left = quota_of(
            programme_id=actor.programme,
            party_id=actor.party_id,
            lineage_id=actor.lineage_id,
            kind=Kind.CREDITS,
        )
        facts = {
            **_quoted(quoted),
            "quota": left,
            "is_within_quota": quoted.price_credits <= left.left,
            "warnings": _warnings(wish.prompt, quoted.model, [one.style for one in quoted.styles]),
        }
        return self.answer(QuoteShown(facts).data)


def _wish(asked: dict[str, Any]) -> Wish:
    width, height = map(int, asked["size"].split("x"))
    return Wish(
        prompt=asked.get("prompt", ""),
        model=asked["model"],
        width=width,
        height=height,
        seconds=asked["seconds"],
        tier=asked.get("tier"),
        seed=asked.get("seed"),
        continues=asked.get("thread"),
        remix_of=asked.get("remix_of"),
        conditions=tuple(map(_wished, asked.get("conditions", ()))),
        styles=tuple(WishedStyle(**one) for one in asked.get("styles", ())),
        extends=asked.get("extends"),
    )


def _wished(asked: dict[str, Any]) -> WishedCondition:
    at = asked.get("frame", asked.get("seconds", asked.get("at", "first")))
    return WishedCondition(
        asked["reference"],
        at=at,
        strength=asked.get("strength", 1.0),
        moment=None if asked.get("from_end") else asked.get("moment", Fraction(0)),
    )


def _condition(one: JobCondition) -> dict[str, Any]:
    return {
        "reference": one.reference_id,
        "frame": one.frame,
        "reference_frame": one.still.frame,
        "strength": one.strength,
        "picture_sha256": one.still.sha256,
    }


def _quoted(quoted: Quote) -> dict[str, Any]:
    row = quoted.row
    return {
        "model": quoted.model.slug,
        "revision": quoted.model.revision,
        "size": f"{row.width}x{row.height}",
        "tier": row.tier,
        "steps": row.steps,
        "frames": quoted.frames,
        "frame_rate": quoted.model.rate,
        "seconds": quoted.seconds,
        "extends": clip_id_of(quoted.extended) if quoted.extended else None,
        "total_frames": quoted.whole_frames,
        "total_seconds": quoted.whole_seconds,
        "price_credits": quoted.price_credits,
    }


def _warnings(prompt: str, model: VideoModel, styles: list[Style]) -> list[dict[str, Any]]:
    words = unknown_words(prompt, model.words, [style.trigger for style in styles])
    if not words:
        return []
    return [{"code": "words_unknown", "sentence": unknown_sentence(words), "words": words}]


def warnings_of(job: Job) -> list[dict[str, Any]]:
    """As ``WarningShown``; no query for a job that ``jobs_of`` gave."""
    return _warnings(job.prompt, job.model, [one.style for one in job_styles_of(job)])


def _now(job: Job) -> dict[str, Any]:
    return _shown(job, standing_of(job.id))


def _shown(job: Job, standing: Standing) -> dict[str, Any]:
    rate = Fraction(job.rate_num, job.rate_den)
    facts = {
        "id": job.id,
        "url": reverse("api-job", args=[shown("job", job.id)]),
        "state": job.state,
        "stage": job.stage,
        "steps_done": job.steps_done,
        "steps": job.steps,
        "place": standing.place,
        "eta_s": standing.eta_s,
        "model": job.model.slug,
        "revision": job.model.revision,
        "tier": job.tier,
        "prompt": job.prompt,
        "seed": job.seed,
        "warnings": warnings_of(job),
        "conditions": [_condition(one) for one in job.conditions.all()],
        "styles": job_styles_of(job),
        "size": f"{job.width}x{job.height}",
        "width": job.width,
        "height": job.height,
        "frames": job.frames,
        "frame_rate": rate,
        "seconds": job.frames / rate,
        "extends": job.extends_id,
        "total_frames": job.whole_frames,
        "total_seconds": job.whole_frames / rate,
        "price_credits": job.price_credits,
        # Not before its end: while an order is being written, its reservation comes last.
        "charged_credits": job.reservation.settled if job.state in OVER else None,
        "thread": job.thread_id,
        "remix_of": job.remix_of_id,
        # The standing was read a moment after the row; what is shown must fit together.
        "clip": standing.clip_id if job.state == State.FINISHED else None,
        "preview": f"/jobs/{shown('job', job.id)}/preview" if has_preview(job) else None,
        "attempts": job.attempts,
        "is_stopping": job.cancel_asked_at is not None and job.state not in OVER,
        "failure_code": job.failure_code,
        "queued_at": job.queued_at,
        "held_until": job.held_until,
        "finished_at": job.finished_at,
    }
    return dict(_shape().to_representation(facts))


@cache
def _shape() -> JobShown:
    """One for all answers: to make one takes as long as to fill it, and it keeps nothing."""
    return JobShown()


urlpatterns = [
    path("quotes", Quotes.as_view(), name="api-quotes"),
    path("jobs", Jobs.as_view(), name="api-jobs"),
    path("jobs/<str:job_id>", OneJob.as_view(), name="api-job"),
    path("jobs/<str:job_id>/cancel", Cancel.as_view(), name="api-job-cancel"),
    path("jobs/<str:job_id>/resume", Resume.as_view(), name="api-job-resume"),
]
