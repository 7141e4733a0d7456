"""Jobs are the queue: the row is the truth, a Celery message is only a doorbell."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.agreements.models import Acceptance
from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from accounts.quotas.models import Reservation
from core.clock import CoreNow
from core.fields import id_field
from generation.catalogue.models import VideoModel
from generation.jobs.rules import State
from generation.placement.models import Device
from generation.references.models import Reference, ReferenceStill
from generation.styles.models import Style
from generation.threads.models import Thread


class NextQueueNumber(models.Func):
    template = "nextval('generation_queue_number')"
    output_field = models.BigIntegerField()


class Job(models.Model):
    """One order for one clip, from submit to its end.

    ``fair_tag`` and ``fair_end`` are start and finish in virtual time (start-time fair queueing,
    Goyal 1996), in credits, stored at submit. ``queue_number`` breaks ties. ``fence`` grows with
    every claim; a worker's writes name the fence it was given, so a late one changes nothing.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="jobs")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="jobs")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="jobs")
    # With which the owner vouched for a job that was held; a claim then asks after this one.
    vouched_by = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="vouched_jobs"
    )
    acceptance = models.ForeignKey(Acceptance, on_delete=models.PROTECT, related_name="jobs")
    reservation = models.OneToOneField(Reservation, on_delete=models.PROTECT, related_name="+")
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="jobs")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="jobs")
    # The clip whose last frame it begins with: that clip's frames come first in what it makes.
    extends = models.ForeignKey(
        "generation.Clip",
        on_delete=models.PROTECT,
        null=True,
        related_name="extensions",
        db_index=False,
    )
    # The job whose recipe this one took, with other words.
    remix_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="remixes"
    )

    prompt = models.TextField()
    seed = models.BigIntegerField()
    tier = models.CharField(max_length=16)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    generated_width = models.PositiveIntegerField()
    generated_height = models.PositiveIntegerField()
    # What is rendered, and paid for; ``frames_before`` is what the clip that it extends has.
    frames = models.PositiveIntegerField()
    frames_before = models.PositiveIntegerField(default=0)
    rate_num = models.PositiveIntegerField()
    rate_den = models.PositiveIntegerField()
    steps = models.PositiveIntegerField()
    price_credits = models.PositiveIntegerField()

    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    lane = models.CharField(max_length=96)
    fair_tag = models.BigIntegerField()
    fair_end = models.BigIntegerField()
    queue_number = models.BigIntegerField(unique=True, editable=False, db_default=NextQueueNumber())
    queued_at = models.DateTimeField(db_default=CoreNow())
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    stage = models.CharField(max_length=16, blank=True)
    steps_done = models.PositiveIntegerField(default=0)
    # When its worker last came a step further, and how long the next may take: for the watchdog.
    stepped_at = models.DateTimeField(null=True)
    step_limit_s = models.PositiveIntegerField(null=True)
    # The last attempt was lost there: another device takes it, while there is one that is well.
    not_on = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=48, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="job_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="job_is_leased_iff_running",
                condition=Q(state="running", lease_until__isnull=False)
                | ~Q(state="running") & Q(lease_until=None),
            ),
            models.CheckConstraint(
                name="job_has_a_term_iff_held",
                condition=Q(state="held", held_until__isnull=False)
                | ~Q(state="held") & Q(held_until=None),
            ),
            models.CheckConstraint(
                name="job_has_an_end_iff_over",
                condition=Q(
                    state__in=["finished", "failed", "cancelled"], finished_at__isnull=False
                )
                | Q(state__in=["queued", "running", "held"], finished_at=None),
            ),
            models.CheckConstraint(
                name="job_says_why_iff_failed",
                condition=Q(state="failed") & ~Q(failure_code="")
                | ~Q(state="failed") & Q(failure_code=""),
            ),
            models.CheckConstraint(
                name="job_has_three_attempts_at_most", condition=Q(attempts__lte=3)
            ),
            models.CheckConstraint(
                name="job_steps_done_within_steps", condition=Q(steps_done__lte=F("steps"))
            ),
            models.CheckConstraint(
                name="a_step_has_a_minute", condition=Q(step_limit_s=None) | Q(step_limit_s__gte=60)
            ),
            models.CheckConstraint(
                name="job_has_frames_before_iff_it_extends",
                condition=Q(extends=None, frames_before=0)
                | Q(extends__isnull=False, frames_before__gte=1, frames__gte=2),
            ),
            models.CheckConstraint(
                name="a_job_is_no_remix_of_itself", condition=~Q(remix_of=F("id"))
            ),
            models.CheckConstraint(
                name="job_order_makes_sense",
                condition=Q(
                    frames__gte=1,
                    steps__gte=1,
                    price_credits__gte=1,
                    rate_num__gte=1,
                    rate_den__gte=1,
                    fair_end__gt=F("fair_tag"),
                ),
            ),
        ]
        indexes = [
            # What a claim reads: the head of one lane.
            models.Index(
                fields=["lane", "fair_tag", "queue_number"],
                name="jobs_waiting",
                condition=Q(state="queued"),
            ),
            # What a submit reads: where this tester's last live job ends in virtual time.
            models.Index(
                fields=["lane", "party", "-fair_end"],
                name="jobs_live_by_party",
                condition=Q(state__in=["queued", "running"]),
            ),
            # What the watchdog reads.
            models.Index(fields=["lease_until"], name="jobs_leased", condition=Q(state="running")),
            models.Index(
                fields=["lane", "-fair_tag"], name="jobs_in_service", condition=Q(state="running")
            ),
            models.Index(fields=["held_until"], name="jobs_held", condition=Q(state="held")),
            models.Index(fields=["party", "-queue_number"], name="jobs_of_a_party"),
            # What a removal of files asks.
            models.Index(
                fields=["extends"],
                name="jobs_by_what_they_extend",
                condition=Q(extends__isnull=False),
            ),
        ]

    @property
    def whole_frames(self) -> int:
        """Of the clip to be: what was there and what is new, the frame that both show once."""
        return self.frames_before + self.frames - 1 if self.frames_before else self.frames


class JobCondition(models.Model):
    """A picture that a job's clip shows at ``frame`` (0 the first): a still of a reference.

    Written with the job, in the order of the frames, and never changed. ``strength`` 1 holds the
    picture as exactly as the model can.
    """

    id = id_field()
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="conditions")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="conditions")
    still = models.ForeignKey(ReferenceStill, on_delete=models.PROTECT, related_name="+")
    frame = models.PositiveIntegerField()
    strength = models.FloatField(default=1.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="conditions_are_numbered", fields=["job", "number"]),
            models.UniqueConstraint(name="one_picture_per_frame", fields=["job", "frame"]),
            models.CheckConstraint(
                name="a_condition_has_a_strength", condition=Q(strength__gt=0, strength__lte=1)
            ),
        ]


class JobStyle(models.Model):
    """A style that a job's clip is made with, and how strongly: written with it, never changed.

    ``model`` is the job's own: the keys of both tie the style to a model that it fits.
    """

    id = id_field()
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="styles")
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="+")
    style = models.ForeignKey(Style, on_delete=models.PROTECT, related_name="job_styles")
    number = models.PositiveSmallIntegerField()
    weight = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="styles_of_a_job_are_numbered", fields=["job", "number"]),
            models.UniqueConstraint(name="a_style_is_used_once_in_a_job", fields=["job", "style"]),
            models.CheckConstraint(
                name="a_job_has_three_styles_at_most", condition=Q(number__lte=2)
            ),
        ]


class JobRequest(models.Model):
    """An order as a program sent it, so that sending it again is answered with the job it made.

    ``fingerprint`` is a SHA-256 over party, programme, what was asked and the files sent with it.
    Written with its job and never changed.
    """

    id = id_field()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="request")
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_fingerprint_is_a_sha256", condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$")
            ),
        ]
        indexes = [models.Index(fields=["fingerprint", "-at"], name="requests_by_fingerprint")]


class DeletedVideo(models.Model):
    """Its owner deleted it at the door ``/v1``, where it is absent from then on. The job, its
    record and what was decided on its clip stay."""

    id = id_field()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="deleted_video")
    at = models.DateTimeField(db_default=CoreNow())


class Attempt(models.Model):
    """One try of a worker at a job: which, on what, how long, how it ended.

    ``device_ms`` is for the operator; the tester is never charged by it. ``pid`` and
    ``pid_started`` let the watchdog on the same machine end a hung worker and nobody else.
    """

    class Outcome(models.TextChoices):
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"
        HELD = "held"
        LOST = "lost"

    id = id_field()
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField()
    fence = models.BigIntegerField()
    machine = models.CharField(max_length=64)
    pid = models.PositiveIntegerField()
    pid_started = models.BigIntegerField()
    device = models.CharField(max_length=64)
    # Null only for attempts older than devices.
    on_device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, related_name="attempts"
    )
    began_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    code = models.CharField(max_length=48, blank=True)
    device_ms = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="attempts_are_numbered", fields=["job", "number"]),
            models.UniqueConstraint(
                name="one_attempt_at_a_time", fields=["job"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="attempt_ended_iff_it_has_an_outcome",
                condition=Q(ended_at=None, outcome="") | Q(ended_at__isnull=False) & ~Q(outcome=""),
            ),
        ]
