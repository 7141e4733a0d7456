from pathlib import Path

from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_own_programme"), ("accounts", "0008_own_programme_rules")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("generation_allowedmodels"),
        never_deleted("generation_removal"),
        grant("GRANT UPDATE (done_at, stopped_at, cleared_at) ON generation_removal TO {app}"),
    ]
