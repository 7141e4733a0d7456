from __future__ import annotations

from fractions import Fraction

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


def text_only() -> list[str]:
    return ["text"]


class VideoModel(models.Model):
    """One revision of a video model: what makes the clip, its limits and its licence.

    A row's facts never change; another revision is another row. ``checkpoint`` is a folder's name
    below the operator's models folder, empty for an engine that needs none; ``weights`` are the
    SHA-256 of its files, by path, and a worker renders with no others. ``territories_excluded``
    are ISO 3166-1 codes of two letters where the licence does not hold. ``words`` are those that a
    small model knows, none for one that takes any; ``examples`` prompts to begin with.
    """

    class State(models.TextChoices):
        ADDED = "added"
        OFFERED = "offered"
        RETIRED = "retired"

    id = id_field()
    slug = models.SlugField(max_length=64)
    revision = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    engine = models.CharField(max_length=32)
    checkpoint = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=120)
    licence_address = models.CharField(max_length=300, blank=True)
    territories_excluded = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    provenance_duty = models.BooleanField(default=False)
    source = models.CharField(max_length=300, blank=True)
    family = models.CharField(max_length=32, blank=True)
    weights = models.JSONField(default=dict, blank=True)
    modes = ArrayField(models.CharField(max_length=16), default=text_only)
    most_conditions = models.PositiveSmallIntegerField(default=0)
    takes_strength = models.BooleanField(default=False)
    takes_styles = models.BooleanField(default=False)
    has_sound = models.BooleanField(default=False)
    shows_noise = models.BooleanField(default=False)
    words = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    examples = ArrayField(models.CharField(max_length=2_000), default=list, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OFFERED)
    order = models.PositiveSmallIntegerField(default=100)
    frame_step = models.PositiveIntegerField()
    frame_offset = models.PositiveIntegerField()
    min_frames = models.PositiveIntegerField()
    max_frames = models.PositiveIntegerField()
    rate_num = models.PositiveIntegerField()
    rate_den = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_row_per_model_revision", fields=["slug", "revision"]),
            models.CheckConstraint(
                name="model_limits_make_sense",
                condition=Q(
                    frame_step__gte=1,
                    min_frames__gte=1,
                    max_frames__gte=F("min_frames"),
                    rate_num__gte=1,
                    rate_den__gte=1,
                ),
            ),
            models.CheckConstraint(
                name="model_state_is_known", condition=Q(state__in=["added", "offered", "retired"])
            ),
            models.CheckConstraint(
                name="model_modes_are_known",
                condition=Q(
                    modes__contained_by=["text", "image", "first_last", "keyframes"],
                    modes__contains=["text"],
                )
                & (Q(modes=["text"], most_conditions=0) | Q(most_conditions__gte=1)),
            ),
        ]

    @property
    def rate(self) -> Fraction:
        """Frames per second, exactly."""
        return Fraction(self.rate_num, self.rate_den)


class AllowedModels(models.Model):
    """Which video models a programme lets its testers use, by slug; the newest version counts.
    Without one, every model that is offered. Published once, never edited."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    slugs = ArrayField(models.CharField(max_length=64))
    published_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        verbose_name_plural = "allowed models"
        constraints = [
            models.UniqueConstraint(
                name="allowed_models_are_numbered", fields=["programme", "number"]
            ),
            models.CheckConstraint(
                name="a_programme_allows_some_model", condition=Q(slugs__len__gte=1, number__gte=1)
            ),
        ]


class PriceRow(models.Model):
    """One line of the price table: a tier at a size, what it generates, what a second costs.

    ``width`` × ``height`` is the file, ``generated_width`` × ``generated_height`` what the model
    makes: 1080 lines are generated as 1088 and cropped. Where the model makes one size only, the
    file may be ``enlarged_by`` whole times that on each side, and nothing of it is cropped.
    """

    id = id_field()
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="prices")
    tier = models.CharField(max_length=16)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    generated_width = models.PositiveIntegerField()
    generated_height = models.PositiveIntegerField()
    enlarged_by = models.PositiveSmallIntegerField(default=1)
    steps = models.PositiveIntegerField()
    credits_per_second = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_price_per_tier_and_size", fields=["model", "tier", "width", "height"]
            ),
            models.CheckConstraint(
                name="a_price_is_positive",
                condition=Q(credits_per_second__gte=1, steps__gte=1),
            ),
            models.CheckConstraint(
                name="generated_covers_the_file",
                condition=Q(width__gte=2, height__gte=2)
                & (
                    Q(enlarged_by__gte=2)
                    | Q(generated_width__gte=F("width"), generated_height__gte=F("height"))
                ),
            ),
            models.CheckConstraint(
                name="an_enlarged_file_is_whole_times_as_large",
                condition=Q(enlarged_by=1)
                | Q(
                    enlarged_by__gte=2,
                    width=F("generated_width") * F("enlarged_by"),
                    height=F("generated_height") * F("enlarged_by"),
                ),
            ),
        ]
