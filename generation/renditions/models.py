from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from core.clock import CoreNow
from core.fields import id_field
from generation.clips.models import Clip


class Rendition(models.Model):
    """A file that somebody may receive. No route serves bytes without a row here.

    ``storage_key`` is the path below the media folder. ``recipe`` says how it was made from the
    master. The sprite is the contact sheet, its index a WebVTT track of thumbnails that names the
    sheet's rendition; the proxy is a light copy to preview by; a waveform is there with sound.
    """

    class Kind(models.TextChoices):
        MASTER = "master"
        POSTER = "poster"
        SPRITE = "sprite"
        INDEX = "index"
        PROXY = "proxy"
        WAVEFORM = "waveform"

    id = id_field()
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=16, choices=Kind)
    master_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    storage_key = models.CharField(max_length=200, unique=True)
    recipe = models.JSONField(default=dict)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_file_of_a_kind_per_clip", fields=["clip", "kind"]),
            # Types that no browser ever runs, each at its kind.
            models.CheckConstraint(
                name="a_file_has_the_type_of_its_kind",
                condition=Q(kind__in=["master", "proxy"], media_type="video/mp4")
                | Q(kind__in=["poster", "sprite", "waveform"], media_type="image/webp")
                | Q(kind="index", media_type="text/vtt"),
            ),
            models.CheckConstraint(
                name="rendition_hashes_are_sha256",
                condition=Q(
                    sha256__regex=r"^[0-9a-f]{64}$", master_sha256__regex=r"^[0-9a-f]{64}$"
                ),
            ),
            models.CheckConstraint(
                name="a_master_is_its_own_master",
                condition=~Q(kind="master") | Q(sha256=models.F("master_sha256")),
            ),
            models.CheckConstraint(name="rendition_is_not_empty", condition=Q(bytes__gt=0)),
        ]


class Opening(models.Model):
    """Somebody who is not the owner opened a rendition: shown to the owner as *Seen by*.

    One row per rendition, viewer and half hour (``half_hour`` counts them since 1970). The public
    has no name here, whoever signed in is among it: ``viewer`` and ``credential_id`` are null.
    """

    id = id_field()
    rendition = models.ForeignKey(Rendition, on_delete=models.PROTECT, related_name="openings")
    viewer = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    credential_id = models.UUIDField(null=True)
    role = models.CharField(max_length=16)
    why = models.CharField(max_length=32)
    half_hour = models.IntegerField()
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_opening_per_viewer_and_half_hour",
                fields=["rendition", "viewer", "half_hour"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="an_opening_names_a_viewer_or_the_public",
                condition=Q(viewer=None, credential_id=None, role="public")
                | Q(viewer__isnull=False, credential_id__isnull=False) & ~Q(role="public"),
            ),
        ]
