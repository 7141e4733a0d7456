"""Where models live: devices that workers announced, and what an operator placed on them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.clock import CoreNow
from core.fields import id_field
from generation.placement.rules import DEATHS, DeviceState


class Device(models.Model):
    """Something a worker renders on. ``machine`` outlives a boot; ``lanes`` are those its worker
    said it serves; ``deaths_in_a_row`` counts attempts lost by a death or a stall since the last
    finished one."""

    id = id_field()
    machine = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    label = models.CharField(max_length=120, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True)
    slots = models.PositiveSmallIntegerField(default=1)
    lanes = ArrayField(models.CharField(max_length=96), default=list, blank=True)
    state = models.CharField(max_length=8, choices=DeviceState, default=DeviceState.SERVING)
    deaths_in_a_row = models.PositiveSmallIntegerField(default=0)
    out_reason = models.CharField(max_length=48, blank=True)
    announced_at = models.DateTimeField(db_default=CoreNow())
    seen_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_device_is_one_row", fields=["machine", "name"]),
            models.CheckConstraint(
                name="device_state_is_known", condition=Q(state__in=DeviceState.values)
            ),
            models.CheckConstraint(
                name="a_device_says_why_iff_it_is_out",
                condition=Q(state="out") & ~Q(out_reason="") | ~Q(state="out") & Q(out_reason=""),
            ),
            models.CheckConstraint(
                name="three_deaths_take_a_device_out",
                condition=Q(state="out") | Q(deaths_in_a_row__lt=DEATHS),
            ),
            # What computes does one clip at a time; what waits for a server may wait many times.
            models.CheckConstraint(
                name="only_remote_devices_have_many_slots",
                condition=Q(slots=1) | Q(slots__gt=1) & Q(name__startswith="remote"),
            ),
        ]


class Placement(models.Model):
    """A model, or one tier of it, lives on this device. ``is_warm``: it is loaded before a job
    asks for it."""

    id = id_field()
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="placements")
    slug = models.CharField(max_length=64)
    tier = models.CharField(max_length=16, blank=True)
    is_warm = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_model_is_placed_once", fields=["device", "slug", "tier"]
            ),
            models.UniqueConstraint(
                name="one_warm_model_per_device", fields=["device"], condition=Q(is_warm=True)
            ),
        ]
