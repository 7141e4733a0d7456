"""Verdicts that can still be taken back, decisions that cannot, and appeals against them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field
from generation.clips.models import Clip
from review.decisions.rules import Outcome, Reversal, verdict_mark
from review.policies.models import Clause, PolicyVersion
from review.submissions.models import Case


class Verdict(models.Model):
    """What a reviewer pressed. It takes effect after ten seconds; until then it can be taken back,
    and nobody but the reviewer sees it. ``evidence`` is a list of ``{"frames": [from, to]}`` and
    ``{"prompt": [from, to]}``."""

    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, primary_key=True, related_name="verdict"
    )
    reviewer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    lease_number = models.BigIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    clause = models.ForeignKey(Clause, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    reversal = models.CharField(max_length=16, choices=Reversal, blank=True)
    evidence = models.JSONField(default=list)
    pressed_at = models.DateTimeField(db_default=CoreNow())
    effective_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="verdict_outcome_is_known", condition=Q(outcome__in=Outcome.values)
            ),
            models.CheckConstraint(
                name="a_verdict_can_be_taken_back_for_ten_seconds",
                condition=Q(effective_at__gte=F("pressed_at") + timedelta(seconds=10)),
            ),
        ]
        indexes = [models.Index(fields=["effective_at"], name="verdicts_by_effect")]

    @property
    def said(self) -> tuple[object, ...]:
        """What it decides, without who pressed it when."""
        return (
            self.outcome,
            self.clause_id,
            self.reason,
            self.remedy,
            self.reversal,
            self.evidence,
        )

    @property
    def mark(self) -> str:
        """Which one it is: whoever presses over it names this, so that none goes unseen."""
        return verdict_mark(self.said, self.pressed_at)


class Decision(models.Model):
    """What was decided on one case: by whom, under which clause, why. Never changes.

    ``policy`` is the submission's, so that a clause of another version cannot be named.
    """

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="decision")
    chain = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="decisions")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="decisions")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="decisions")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    master_sha256 = models.CharField(max_length=64)
    round = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    clause = models.ForeignKey(
        Clause, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    reason = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    reversal = models.CharField(max_length=16, choices=Reversal, blank=True)
    pressed_at = models.DateTimeField()
    decided_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="outcome_is_known", condition=Q(outcome__in=Outcome.values)
            ),
            models.CheckConstraint(
                name="nobody_decides_on_their_own_work", condition=~Q(reviewer=F("owner"))
            ),
            models.UniqueConstraint(
                name="nobody_decides_twice_in_a_chain", fields=["chain", "reviewer"]
            ),
            models.CheckConstraint(
                name="an_appeal_is_upheld_or_overturned",
                condition=Q(round=1) | Q(outcome__in=["approved", "declined"]),
            ),
            models.CheckConstraint(
                name="an_overturned_decision_says_why",
                condition=Q(round=2, outcome="approved", reversal__in=Reversal.values)
                | ~Q(round=2, outcome="approved") & Q(reversal=""),
            ),
            models.CheckConstraint(
                name="changes_come_with_a_remedy",
                condition=Q(outcome="changes_requested") & ~Q(remedy="")
                | ~Q(outcome="changes_requested") & Q(remedy=""),
            ),
            models.CheckConstraint(
                name="a_decision_waited_ten_seconds",
                condition=Q(decided_at__gte=F("pressed_at") + timedelta(seconds=10)),
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "decided_at"], name="decisions_by_time"),
        ]


class Evidence(models.Model):
    """What a decision points at: frames (both ends counted in, from 0) or a stretch of the prompt
    (characters, the end not counted in)."""

    id = id_field()
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="evidence")
    frame_from = models.PositiveIntegerField(null=True)
    frame_to = models.PositiveIntegerField(null=True)
    prompt_from = models.PositiveIntegerField(null=True)
    prompt_to = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="evidence_is_frames_or_words",
                condition=Q(
                    frame_from__isnull=False,
                    frame_to__gte=F("frame_from"),
                    prompt_from=None,
                    prompt_to=None,
                )
                | Q(
                    prompt_from__isnull=False,
                    prompt_to__gt=F("prompt_from"),
                    frame_from=None,
                    frame_to=None,
                ),
            ),
        ]


class Appeal(models.Model):
    """The owner's word against one decision; somebody outside the chain judges it anew."""

    id = id_field()
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="appeal")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="appeal")
    chain = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    filed_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(name="an_appeal_says_something", condition=~Q(text="")),
        ]
