"""What was put forward, sealed, and the cases in which it is judged."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Func, Q

from accounts.credentials.models import Credential
from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field
from generation.clips.models import Clip
from review.policies.models import CharterVersion, PolicyVersion
from review.submissions.rules import CaseKind, SkipReason, State


class NextCaseNumber(Func):
    """Order of opening; unlike an id it never ties within a millisecond."""

    template = "nextval('review_case_number')"
    output_field = models.BigIntegerField()


class Submission(models.Model):
    """A clip's master put forward by its owner, with everything it is judged by. Never changes.

    ``recipe_sha256`` is the digest of the recipe as PostgreSQL writes it (``recipe::text``).
    ``answers`` is the submission whose requested changes this one makes.
    """

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="submissions")
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="submissions")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="submissions")
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+")
    master_sha256 = models.CharField(max_length=64)
    frames = models.PositiveIntegerField()
    recipe_sha256 = models.CharField(max_length=64)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    charter = models.ForeignKey(CharterVersion, on_delete=models.PROTECT, related_name="+")
    answers = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="answered_by"
    )
    note = models.TextField(blank=True)
    sealed_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-sealed_at", "-id"], name="submissions_of_a_party"),
        ]


class SealedPerson(models.Model):
    """Somebody with a part in the clip when it was put forward: never its judge."""

    id = id_field()
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="people")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_person_is_sealed_once", fields=["submission", "party"]),
        ]


class Case(models.Model):
    """One judgement of a submission: the first (round 1) or its appeal (round 2).

    A chain is one clip's review, so ``chain`` is the clip. ``fair_tag`` and ``fair_end`` are
    start and finish in virtual time (start-time fair queueing, one unit a case), stored when it
    opens. ``lease_number`` grows with every claim; what a reviewer writes names the one they
    were given. ``lease_slot`` counts a reviewer's leases, three at most.
    """

    id = id_field()
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="cases")
    chain = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="cases")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="cases")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="cases")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    master_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=CaseKind, default=CaseKind.RELEASE)
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    fair_tag = models.BigIntegerField()
    fair_end = models.BigIntegerField()
    queue_number = models.BigIntegerField(unique=True, editable=False, db_default=NextCaseNumber())
    opened_at = models.DateTimeField(db_default=CoreNow())
    due_at = models.DateTimeField()
    lease_by = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, related_name="leased_cases"
    )
    lease_until = models.DateTimeField(null=True)
    lease_slot = models.PositiveSmallIntegerField(null=True)
    lease_number = models.BigIntegerField(default=0)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="case_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="an_appeal_is_the_second_round",
                condition=Q(kind="release", round=1) | Q(kind="appeal", round=2),
            ),
            models.UniqueConstraint(
                name="one_case_per_round_of_a_submission", fields=["submission", "round"]
            ),
            models.UniqueConstraint(
                name="one_open_case_per_master",
                fields=["programme", "owner", "master_sha256"],
                condition=Q(state__in=["queued", "claimed"]),
            ),
            models.CheckConstraint(
                name="case_is_leased_iff_claimed",
                condition=Q(
                    state="claimed",
                    lease_by__isnull=False,
                    lease_until__isnull=False,
                    lease_slot__isnull=False,
                )
                | ~Q(state="claimed") & Q(lease_by=None, lease_until=None, lease_slot=None),
            ),
            models.CheckConstraint(
                name="nobody_leases_their_own_work",
                condition=Q(lease_by=None) | ~Q(lease_by=F("owner")),
            ),
            models.CheckConstraint(
                name="three_leases_at_most",
                condition=Q(lease_slot=None) | Q(lease_slot__gte=1, lease_slot__lte=3),
            ),
            models.UniqueConstraint(
                name="a_reviewers_leases_are_counted",
                fields=["lease_by", "lease_slot"],
                condition=Q(state="claimed"),
            ),
            models.CheckConstraint(
                name="case_has_an_end_iff_closed",
                condition=Q(state__in=["queued", "claimed"], closed_at=None)
                | ~Q(state__in=["queued", "claimed"]) & Q(closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="case_takes_a_stretch_of_virtual_time",
                condition=Q(fair_end__gt=F("fair_tag")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["programme", "owner", "-fair_end"],
                name="cases_open_by_owner",
                condition=Q(state__in=["queued", "claimed"]),
            ),
            models.Index(fields=["lease_until"], name="cases_leased", condition=Q(state="claimed")),
            models.Index(
                fields=["due_at"],
                name="cases_not_yet_escalated",
                condition=Q(state__in=["queued", "claimed"], escalated_at=None),
            ),
            models.Index(fields=["chain", "round"], name="cases_of_a_chain"),
        ]


class Skip(models.Model):
    """A reviewer handed a case back, for a reason of the list."""

    id = id_field()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="skips")
    reviewer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=16, choices=SkipReason)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_skip_has_a_reason", condition=Q(why__in=SkipReason.values)
            ),
        ]
        indexes = [models.Index(fields=["case", "reviewer"], name="skips_of_a_case")]
