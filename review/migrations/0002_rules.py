from pathlib import Path

from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations

APPEND_ONLY = [
    "act",
    "appeal",
    "charterversion",
    "clause",
    "decision",
    "evidence",
    "ledgeraccount",
    "ledgerentry",
    "ledgertransaction",
    "payoutapproval",
    "policyversion",
    "sealedperson",
    "skip",
    "submission",
]
NEVER_DELETED = [
    "case",
    "contribution",
    "creditline",
    "ledgerbalance",
    "payout",
    "release",
    "sharelink",
]


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0001_initial"),
        ("accounts", "0006_rate_rules"),
        ("generation", "0003_public_openings"),
    ]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        *(append_only(f"review_{table}") for table in APPEND_ONLY),
        *(never_deleted(f"review_{table}") for table in NEVER_DELETED),
        grant(
            "GRANT UPDATE (state, lease_by_id, lease_until, lease_slot, lease_number,"
            " escalated_at, closed_at) ON review_case TO {app}"
        ),
        grant(
            "GRANT UPDATE (outcome, clause_id, reason, remedy, reversal, evidence, pressed_at,"
            " effective_at, lease_number, reviewer_id), DELETE ON review_verdict TO {app}"
        ),
        grant("GRANT UPDATE (display_form, state, answered_at) ON review_creditline TO {app}"),
        grant("GRANT UPDATE (ended_at) ON review_release TO {app}"),
        grant("GRANT UPDATE (revoked_at) ON review_sharelink TO {app}"),
        grant(
            "GRANT UPDATE (state, triaged_by_id, triaged_at, decline_reason, answer)"
            " ON review_contribution TO {app}"
        ),
        # The lines' trigger writes it in the application's name; balance_law refuses all else.
        grant("GRANT UPDATE (balance_micro) ON review_ledgerbalance TO {app}"),
        grant(
            "GRANT UPDATE (state, paid_by_id, ended_at, reference, transaction_id)"
            " ON review_payout TO {app}"
        ),
    ]
