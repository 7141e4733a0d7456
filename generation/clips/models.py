from __future__ import annotations

from fractions import Fraction

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from generation.clips.rules import VIEWING_ROLES, Allows, Why
from generation.jobs.models import Job
from generation.threads.models import Thread


class Clip(models.Model):
    """What a job made: one immutable master, its facts and the recipe that makes it again.

    ``width`` × ``height`` is the file, ``generated_*`` what the model made. Review, release and
    credit will bind to ``master_sha256``.
    """

    id = id_field()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="clip")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="clips")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="clips")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="clips")
    version = models.PositiveIntegerField()
    master_sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    generated_width = models.PositiveIntegerField()
    generated_height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField()
    rate_num = models.PositiveIntegerField()
    rate_den = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    prompt = models.TextField()
    recipe = models.JSONField()
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="versions_of_a_thread_are_numbered", fields=["thread", "version"]
            ),
            models.CheckConstraint(
                name="clip_master_is_a_sha256",
                condition=Q(master_sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]
        indexes = [models.Index(fields=["party", "-made_at", "-id"], name="clips_of_a_party")]

    @property
    def rate(self) -> Fraction:
        return Fraction(self.rate_num, self.rate_den)

    @property
    def is_resized(self) -> bool:
        """Whether the file is larger than what was generated; it may be smaller by a crop."""
        return self.width > self.generated_width or self.height > self.generated_height


class Viewing(models.Model):
    """Staff said why they open somebody else's clip; it counts for half an hour.

    A reviewer's ends sooner, with the case it was for: what the case's trigger writes is all that
    ever changes here, and only ``until`` does.
    """

    id = id_field()
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="viewings")
    viewer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    why = models.CharField(max_length=32)
    at = models.DateTimeField(db_default=CoreNow())
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_viewing_ends", condition=Q(until__gt=models.F("at"))),
            models.CheckConstraint(
                name="a_viewing_has_a_reason_and_a_role_that_looks",
                condition=Q(why__in=Why.values, role__in=VIEWING_ROLES),
            ),
        ]
        indexes = [models.Index(fields=["clip", "viewer", "-until"], name="viewings_of_a_clip")]


class Removal(models.Model):
    """The files of a clip go at ``due_at``: its owner was told at ``announced_at``. The clip's row
    and what was decided on it stay. ``stopped_at``: it was kept after all. From ``done_at`` on
    nobody is served a byte; the files themselves are off the disk at ``cleared_at``."""

    class Why(models.TextChoices):
        RETENTION = "retention"
        OWNER = "owner"
        ERASURE = "erasure"

    id = id_field()
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="removals")
    why = models.CharField(max_length=16, choices=Why)
    announced_at = models.DateTimeField(db_default=CoreNow())
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_removal_of_a_clip_at_a_time",
                fields=["clip"],
                condition=Q(stopped_at=None),
            ),
            models.CheckConstraint(
                name="a_removal_is_done_or_stopped",
                condition=Q(
                    why__in=["retention", "owner", "erasure"], due_at__gte=F("announced_at")
                )
                & (Q(done_at=None) | Q(stopped_at=None)),
            ),
            models.CheckConstraint(
                name="nothing_goes_before_its_time",
                condition=Q(done_at=None, cleared_at=None)
                | Q(done_at__isnull=False, done_at__gte=F("due_at")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="removals_due", condition=Q(done_at=None, stopped_at=None)
            ),
            models.Index(
                fields=["done_at"],
                name="removals_to_clear",
                condition=Q(done_at__isnull=False, cleared_at=None),
            ),
        ]


class FilesBefore(models.Model):
    """What a programme's policy says at present of the files of a clip that is not approved: handed
    down by the floor above, which publishes it. Without a row: everything."""

    programme = models.OneToOneField(
        Programme, primary_key=True, on_delete=models.PROTECT, related_name="files_before"
    )
    allows = models.CharField(max_length=8, choices=Allows)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_programme_says_which_files", condition=Q(allows__in=Allows.values)
            ),
        ]


class HeldBack(models.Model):
    """A clip that is not approved and whose owner does not get all its files until then.

    Written with the clip, by a trigger, and taken away with its approval. A later policy that
    allows more counts for it too; one that allows less does not.
    """

    clip = models.OneToOneField(
        Clip, primary_key=True, on_delete=models.PROTECT, related_name="held_back"
    )
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    allows = models.CharField(max_length=8, choices=Allows)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="what_is_held_back_is_less", condition=Q(allows__in=["preview", "pictures"])
            ),
        ]
