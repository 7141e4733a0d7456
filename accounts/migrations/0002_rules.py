from pathlib import Path

from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("accounts_agreementversion"),
        append_only("accounts_acceptance"),
        append_only("accounts_party"),
        never_deleted("accounts_credential"),
        never_deleted("accounts_budget"),
        never_deleted("accounts_reservation"),
        never_deleted("accounts_membership"),
        never_deleted("accounts_rolegrant"),
        never_deleted("accounts_programme"),
        grant(
            "GRANT UPDATE (password, last_login, email, is_active), DELETE ON accounts_person TO {app}"
        ),
        grant(
            "GRANT UPDATE (display_name, language, theme, time_zone), DELETE"
            " ON accounts_personaldetail TO {app}"
        ),
        grant("GRANT UPDATE (name, time_zone, is_open) ON accounts_programme TO {app}"),
        grant("GRANT UPDATE (ended_at) ON accounts_membership TO {app}"),
        grant("GRANT UPDATE (ended_at) ON accounts_rolegrant TO {app}"),
        grant(
            "GRANT UPDATE (state, scopes, expires_at, last_used_at, ended_at, ended_reason)"
            " ON accounts_credential TO {app}"
        ),
        grant("GRANT UPDATE, DELETE ON accounts_portalsession TO {app}"),
        grant('GRANT UPDATE ("limit", reserved, spent) ON accounts_budget TO {app}'),
        grant("GRANT UPDATE (state, settled, ended_at) ON accounts_reservation TO {app}"),
        grant("GRANT UPDATE (read_at) ON accounts_notice TO {app}"),
    ]
