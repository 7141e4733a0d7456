from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.clock import CoreNow
from core.fields import id_field
from generation.catalogue.models import VideoModel


class ModelTier(models.Model):
    """How a tier of a model is made: ``levers`` as its checkpoint says, and for those that change
    the picture what was ``measured`` against the lossless result on the same seeds."""

    id = id_field()
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="tiers")
    tier = models.CharField(max_length=16)
    levers = models.JSONField(default=dict, blank=True)
    is_lossy = models.BooleanField(default=False)
    measured = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_row_per_tier", fields=["model", "tier"]),
            models.CheckConstraint(
                name="a_lossy_tier_says_its_loss",
                condition=Q(is_lossy=False)
                | Q(measured__has_keys=["ssim", "psnr_db"]) & ~Q(measured__ssim=None),
            ),
        ]


class ModelCheck(models.Model):
    """One try to load a model here and to render a short clip with it. Never edited."""

    id = id_field()
    model = models.ForeignKey(VideoModel, on_delete=models.PROTECT, related_name="checks")
    at = models.DateTimeField(db_default=CoreNow())
    device = models.CharField(max_length=64)
    has_passed = models.BooleanField()
    code = models.CharField(max_length=48, blank=True)
    load_ms = models.PositiveIntegerField(default=0)
    clip_ms = models.PositiveIntegerField(default=0)
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_check_that_failed_says_why",
                condition=Q(has_passed=True, code="") | Q(has_passed=False) & ~Q(code=""),
            )
        ]
