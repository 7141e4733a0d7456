"""What its owner shows to the public, and links to it that can be revoked."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from generation.clips.models import Clip
from review.decisions.models import Decision


class Release(models.Model):
    """The owner's act after approval. ``is_listed``: on the showcase; else only by a link.

    ``outcome`` is always ``approved``: it carries the decision's outcome into the composite key,
    so that only approved bytes can be released.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="releases")
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="releases")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="releases")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="releases")
    outcome = models.CharField(max_length=20, default="approved")
    master_sha256 = models.CharField(max_length=64)
    title = models.CharField(max_length=120)
    shows_prompt = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=True)
    released_at = models.DateTimeField(db_default=CoreNow())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_what_was_approved_is_released", condition=Q(outcome="approved")
            ),
            models.CheckConstraint(name="a_release_has_a_title", condition=~Q(title="")),
            models.UniqueConstraint(
                name="one_live_release_per_clip", fields=["clip"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="a_release_ends_after_it_began",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("released_at")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["-released_at", "-id"],
                name="releases_on_the_showcase",
                condition=Q(ended_at=None, is_listed=True),
            ),
            models.Index(fields=["owner", "-released_at"], name="releases_of_a_party"),
            models.Index(
                fields=["programme", "released_at"],
                name="releases_that_stand",
                condition=Q(ended_at=None),
            ),
        ]


class ShareLink(models.Model):
    """A link to one release, whose secret is kept as SHA-256 only. Dies with the release."""

    id = id_field()
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="links")
    name = models.CharField(max_length=80, blank=True)
    digest = models.BinaryField(unique=True)
    made_at = models.DateTimeField(db_default=CoreNow())
    revoked_at = models.DateTimeField(null=True)
