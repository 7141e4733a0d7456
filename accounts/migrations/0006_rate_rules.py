from pathlib import Path

from core.sql.operations import append_only, grant
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_rates")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("accounts_rate"),
        grant("GRANT UPDATE (credit_name) ON accounts_personaldetail TO {app}"),
    ]
