from pathlib import Path

from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_own_programme"), ("core", "0004_signing_key_rules")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("accounts_particulars"),
        append_only("accounts_calendarversion"),
        append_only("accounts_retentionversion"),
        append_only("accounts_consentversion"),
        append_only("accounts_consentact"),
        append_only("accounts_agreementview"),
        append_only("accounts_announcement"),
        append_only("accounts_conversation"),
        append_only("accounts_remark"),
        never_deleted("accounts_administrator"),
        never_deleted("accounts_cohort"),
        never_deleted("accounts_cohortseat"),
        never_deleted("accounts_mail"),
        never_deleted("accounts_export"),
        never_deleted("accounts_erasure"),
        grant("GRANT UPDATE (opened_at) ON accounts_programme TO {app}"),
        grant("GRANT UPDATE (ended_at) ON accounts_administrator TO {app}"),
        grant("GRANT UPDATE (ended_at) ON accounts_cohort TO {app}"),
        grant("GRANT UPDATE (ended_at) ON accounts_cohortseat TO {app}"),
        grant(
            "GRANT UPDATE (number, digest, pepper_id, expires_at) ON accounts_invitation TO {app}"
        ),
        grant(
            "GRANT UPDATE (languages, contact, mail_bounced_at) ON accounts_personaldetail TO {app}"
        ),
        grant(
            "GRANT UPDATE (state, attempts, due_at, lease_until, ended_at, failure)"
            " ON accounts_mail TO {app}"
        ),
        grant("GRANT UPDATE (way), DELETE ON accounts_postpreference TO {app}"),
        grant("GRANT UPDATE (mail_id) ON accounts_notice TO {app}"),
        grant(
            "GRANT UPDATE (state, attempts, lease_until, ready_at, expires_at, ended_at, bytes,"
            " sha256, storage_key) ON accounts_export TO {app}"
        ),
        grant("GRANT UPDATE (waits_for, done_at, kept) ON accounts_erasure TO {app}"),
        grant("GRANT UPDATE (name, reason) ON accounts_credential TO {app}"),
    ]
