from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from generation.references.rules import TYPES, Rights, Shape, Why

_STANDS = Q(removed_at=None, due_at=None, removed_why="", cleared_at=None)
_REMOVED = Q(removed_at__isnull=False, due_at__gte=F("removed_at"), removed_why__in=Why.values)


class Reference(models.Model):
    """A picture or short clip that a tester sent, to be shown in clips of theirs: the original,
    byte for byte. Only its owner is ever given it; engines get its stills.

    ``removed_at``: no new job takes it. From ``due_at`` on its files go, as soon as no job that is
    under way needs them; they are off the disk at ``cleared_at``.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="references")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="references")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+")
    shape = models.CharField(max_length=8, choices=Shape)
    name = models.CharField(max_length=120, blank=True)
    rights = models.CharField(max_length=16, choices=Rights)
    rights_words = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=32)
    storage_key = models.CharField(max_length=200, unique=True)
    frames = models.PositiveIntegerField()
    rate_num = models.PositiveIntegerField()
    rate_den = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField(db_default=CoreNow())
    removed_at = models.DateTimeField(null=True)
    removed_why = models.CharField(max_length=16, choices=Why, blank=True)
    due_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_reference_is_a_picture_or_a_clip",
                condition=Q(
                    shape="image",
                    media_type__in=[kind for kind in TYPES if kind != "video/mp4"],
                    frames=1,
                    rate_num=0,
                )
                | Q(shape="clip", media_type="video/mp4", frames__gte=1, rate_num__gte=1),
            ),
            models.CheckConstraint(
                name="a_reference_states_its_rights",
                condition=Q(rights__in=Rights.values)
                & (~Q(rights="licensed") | ~Q(rights_words="")),
            ),
            models.CheckConstraint(
                name="a_reference_is_a_file",
                condition=Q(
                    sha256__regex=r"^[0-9a-f]{64}$",
                    bytes__gte=1,
                    bytes__lte=20 * 1024 * 1024,
                    rate_den__gte=1,
                ),
            ),
            models.CheckConstraint(
                name="a_reference_goes_in_steps",
                condition=_STANDS
                | _REMOVED & (Q(cleared_at=None) | Q(cleared_at__gte=F("due_at"))),
            ),
        ]
        indexes = [
            models.Index(fields=["party", "programme", "-made_at"], name="references_of_a_party"),
            models.Index(
                fields=["due_at"],
                name="references_to_clear",
                condition=Q(removed_at__isnull=False, cleared_at=None),
            ),
        ]


class ReferenceStill(models.Model):
    """One frame of a reference as engines get it: PNG, RGB in sRGB, upright, without metadata."""

    id = id_field()
    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="stills")
    frame = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    storage_key = models.CharField(max_length=200, unique=True)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_still_per_frame", fields=["reference", "frame"]),
            models.CheckConstraint(
                name="a_still_is_a_picture",
                condition=Q(
                    sha256__regex=r"^[0-9a-f]{64}$", bytes__gte=1, width__gte=1, height__gte=1
                ),
            ),
        ]
