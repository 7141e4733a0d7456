"""Money that leaves the house: proposed by one person, approved by another, paid once."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from review.ledger.models import LedgerTransaction
from review.payouts.rules import State


class Payout(models.Model):
    """An amount in whole minor units of the currency; what is left over stays owed.

    ``reference`` is what the bank calls the transfer. ``transaction`` is its posting.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="payouts")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="payouts")
    amount_micro = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    instruction_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State, default=State.PROPOSED)
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=CoreNow())
    paid_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    reference = models.CharField(max_length=140, blank=True)
    transaction = models.OneToOneField(
        LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="payout"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payout_state_is_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(name="a_payout_pays_something", condition=Q(amount_micro__gt=0)),
            models.UniqueConstraint(
                name="one_open_payout_per_party",
                fields=["programme", "party", "currency"],
                condition=Q(state__in=["proposed", "approved"]),
            ),
            models.CheckConstraint(
                name="nobody_proposes_their_own_payout", condition=~Q(made_by=F("party"))
            ),
            models.CheckConstraint(
                name="nobody_pays_themselves", condition=Q(paid_by=None) | ~Q(paid_by=F("party"))
            ),
            models.CheckConstraint(
                name="a_payout_is_posted_iff_paid",
                condition=Q(
                    state="paid",
                    transaction__isnull=False,
                    paid_by__isnull=False,
                    ended_at__isnull=False,
                )
                & ~Q(reference="")
                | Q(
                    state="cancelled",
                    transaction=None,
                    paid_by=None,
                    ended_at__isnull=False,
                    reference="",
                )
                | Q(
                    state__in=["proposed", "approved"],
                    transaction=None,
                    paid_by=None,
                    ended_at=None,
                    reference="",
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "-made_at", "-id"], name="payouts_by_time"),
        ]


class PayoutApproval(models.Model):
    """A second person's yes to exactly this instruction."""

    id = id_field()
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="approvals")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    approver = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    instruction_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_approval_each", fields=["payout", "approver"]),
            models.CheckConstraint(
                name="a_payout_is_approved_by_a_second_person",
                condition=~Q(approver=F("made_by")) & ~Q(approver=F("party")),
            ),
        ]
