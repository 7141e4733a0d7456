from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from accounts.rates.models import Rate
from core.clock import CoreNow
from core.fields import id_field
from generation.clips.models import Clip
from review.contributions.rules import DeclineReason, Kind, State


class Contribution(models.Model):
    """A bug report, feedback or a red-team finding, about a clip of one's own or the programme.

    ``rate`` is the one in force when it was filed; null where there was none: then it earns
    nothing, and the page said so before.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="contributions")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="contributions")
    kind = models.CharField(max_length=24, choices=Kind)
    clip = models.ForeignKey(
        Clip, on_delete=models.PROTECT, null=True, related_name="contributions"
    )
    frame_from = models.PositiveIntegerField(null=True)
    frame_to = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=120)
    words = models.TextField()
    rate = models.ForeignKey(Rate, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.FILED)
    filed_at = models.DateTimeField(db_default=CoreNow())
    triaged_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    triaged_at = models.DateTimeField(null=True)
    decline_reason = models.CharField(max_length=16, choices=DeclineReason, blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contribution_kind_is_known", condition=Q(kind__in=Kind.values)
            ),
            models.CheckConstraint(
                name="a_contribution_says_something", condition=~Q(title="") & ~Q(words="")
            ),
            models.CheckConstraint(
                name="contribution_frames_are_of_its_clip",
                condition=Q(frame_from=None, frame_to=None)
                | Q(
                    clip__isnull=False,
                    frame_from__isnull=False,
                    frame_to__gte=F("frame_from"),
                ),
            ),
            models.CheckConstraint(
                name="contribution_is_triaged_by_somebody",
                condition=Q(
                    state="filed",
                    triaged_by=None,
                    triaged_at=None,
                    decline_reason="",
                    answer="",
                )
                | Q(
                    state="accepted",
                    triaged_by__isnull=False,
                    triaged_at__isnull=False,
                    decline_reason="",
                )
                | Q(
                    state="declined",
                    triaged_by__isnull=False,
                    triaged_at__isnull=False,
                    decline_reason__in=DeclineReason.values,
                ),
            ),
            models.CheckConstraint(
                name="nobody_triages_their_own",
                condition=Q(triaged_by=None) | ~Q(triaged_by=F("party")),
            ),
        ]
        indexes = [
            models.Index(fields=["party", "-filed_at", "-id"], name="contributions_of_a_party"),
            models.Index(
                fields=["programme", "filed_at", "id"],
                name="contributions_to_triage",
                condition=Q(state="filed"),
            ),
        ]
