"""Double entry. Rows are only ever added; a mistake is reversed, never edited."""

from __future__ import annotations

from django.db import models
from django.db.models import Func, Q

from accounts.agreements.models import Acceptance
from accounts.people.models import Party
from accounts.programmes.models import Programme
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.clock import CoreNow
from core.fields import ThisTransaction, XidField, id_field
from review.ledger.rules import AccountKind, TransactionKind


class Act(models.Model):
    """Something that earned money, at the rate that was in force when it was done."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="acts")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=24, choices=ActKind)
    subject_id = models.UUIDField()
    rate = models.ForeignKey(Rate, on_delete=models.PROTECT, related_name="acts")
    acceptance = models.ForeignKey(Acceptance, on_delete=models.PROTECT, related_name="+")
    amount_micro = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="an_act_earns_once", fields=["kind", "subject_id", "party"]
            ),
            models.CheckConstraint(name="an_act_earns_something", condition=Q(amount_micro__gt=0)),
        ]


class LedgerAccount(models.Model):
    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=AccountKind)
    party = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, related_name="ledger_accounts"
    )
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_account_per_place_and_currency",
                fields=["programme", "kind", "party", "currency"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="account_kind_is_known", condition=Q(kind__in=AccountKind.values)
            ),
            models.CheckConstraint(
                name="what_is_owed_is_owed_to_somebody",
                condition=Q(kind="owed", party__isnull=False) | ~Q(kind="owed") & Q(party=None),
            ),
        ]


class LedgerBalance(models.Model):
    """The sum of an account's lines, made with the account and kept by the lines' own trigger."""

    account = models.OneToOneField(
        LedgerAccount, on_delete=models.PROTECT, primary_key=True, related_name="balance"
    )
    kind = models.CharField(max_length=12, choices=AccountKind)
    balance_micro = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="balance_within_its_bounds",
                condition=Q(kind="treasury", balance_micro__gte=0)
                | Q(kind="owed", balance_micro__lte=0)
                | Q(kind__in=["funder", "fees"]),
            ),
        ]


class LedgerTransaction(models.Model):
    """One posting: all its lines come in its own database transaction, and sum to zero.

    ``key`` is the idempotency key (``act:…``, ``payout:…``); ``payload_sha256`` the digest of what
    was posted under it, so that the same key with something else is noticed.
    """

    id = id_field()
    xid = XidField(db_default=ThisTransaction(), editable=False)
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    payload_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=TransactionKind)
    act = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="transaction")
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reversed_by"
    )
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    words = models.CharField(max_length=200, blank=True)
    posted_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_key_posts_once", fields=["programme", "key"]),
            models.CheckConstraint(
                name="payload_digest_is_a_sha256",
                condition=Q(payload_sha256__regex=r"^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="transaction_kind_is_known", condition=Q(kind__in=TransactionKind.values)
            ),
            models.CheckConstraint(
                name="a_transaction_names_what_it_is_for",
                condition=Q(kind="act", act__isnull=False, reverses=None)
                | Q(kind="reversal", act=None, reverses__isnull=False)
                | Q(kind__in=["funding", "payout"], act=None, reverses=None),
            ),
        ]


class NextLineNumber(Func):
    """Order of writing; the lines' trigger takes it anew under the lock of the account's balance,
    so that the numbers of one account are in the order of their commits."""

    template = "nextval('review_line_number')"
    output_field = models.BigIntegerField()


class LedgerEntry(models.Model):
    """One line: a debit is positive, a credit negative."""

    id = id_field()
    number = models.BigIntegerField(editable=False, db_default=NextLineNumber())
    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="entries"
    )
    line = models.PositiveSmallIntegerField()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries")
    currency = models.CharField(max_length=3)
    amount_micro = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="lines_of_a_transaction_are_numbered", fields=["transaction", "line"]
            ),
            models.CheckConstraint(name="a_line_moves_something", condition=~Q(amount_micro=0)),
        ]
        indexes = [models.Index(fields=["account", "number"], name="lines_of_an_account")]
