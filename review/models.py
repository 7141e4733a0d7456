"""Table of contents: Django looks for models here."""

from review.contributions.models import Contribution
from review.credits.models import CreditLine
from review.decisions.models import Appeal, Decision, Evidence, Verdict
from review.ledger.models import (
    Act,
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerTransaction,
)
from review.payouts.models import Payout, PayoutApproval
from review.policies.models import CharterVersion, Clause, PolicyVersion
from review.releases.models import Release, ShareLink
from review.retention.models import Perishable
from review.submissions.models import Case, SealedPerson, Skip, Submission

__all__ = [
    "Act",
    "Appeal",
    "Case",
    "CharterVersion",
    "Clause",
    "Contribution",
    "CreditLine",
    "Decision",
    "Evidence",
    "LedgerAccount",
    "LedgerBalance",
    "LedgerEntry",
    "LedgerTransaction",
    "Payout",
    "PayoutApproval",
    "Perishable",
    "PolicyVersion",
    "Release",
    "SealedPerson",
    "ShareLink",
    "Skip",
    "Submission",
    "Verdict",
]
