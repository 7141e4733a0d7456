from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.clock import CoreNow
from core.fields import id_field
from generation.catalogue.models import VideoModel
from generation.styles.rules import State


class Style(models.Model):
    """One revision of a style: a LoRA that changes how a video model draws.

    A row's facts never change; another file, or other words, are another revision. ``sha256`` is of
    the file, by which it is kept below the operator's models folder; a worker uses no other.
    ``trigger`` are words that the style was trained with, to be written into a prompt.
    """

    id = id_field()
    slug = models.SlugField(max_length=64)
    revision = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300)
    trigger = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=120)
    licence_address = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    usual_weight = models.FloatField(default=1.0)
    least_weight = models.FloatField(default=0.0)
    most_weight = models.FloatField(default=1.5)
    state = models.CharField(max_length=8, choices=State, default=State.ADDED)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_row_per_style_revision", fields=["slug", "revision"]),
            models.UniqueConstraint(
                name="one_revision_of_a_style_is_offered",
                fields=["slug"],
                condition=Q(state="offered"),
            ),
            models.CheckConstraint(
                name="style_state_is_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="a_style_is_a_file", condition=Q(sha256__regex=r"^[0-9a-f]{64}$", bytes__gte=1)
            ),
            models.CheckConstraint(
                name="a_style_says_what_it_is",
                condition=Q(revision__gte=1)
                & ~Q(slug="")
                & ~Q(name="")
                & ~Q(description="")
                & ~Q(licence=""),
            ),
            models.CheckConstraint(
                name="a_style_has_a_usual_weight_in_its_range",
                condition=Q(
                    least_weight__gte=-2,
                    usual_weight__gte=F("least_weight"),
                    most_weight__gte=F("usual_weight"),
                    most_weight__lte=2,
                )
                & ~Q(usual_weight=0),
            ),
        ]


class StyleFit(models.Model):
    """That a style's file was compared with this revision of a model and fits it. Never edited.

    ``layers`` it changes, ``rank`` the widest change.
    """

    id = id_field()
    style = models.ForeignKey(Style, on_delete=models.PROTECT, related_name="fits")
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="style_fits")
    layers = models.PositiveIntegerField()
    rank = models.PositiveIntegerField()
    checked_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_style_fits_a_model_once", fields=["style", "model"]),
            models.CheckConstraint(
                name="a_fit_changes_something", condition=Q(layers__gte=1, rank__gte=1)
            ),
        ]
