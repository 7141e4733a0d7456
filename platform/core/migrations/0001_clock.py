from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    # Every table of the house may use core_now(), Django's own included.
    run_before = [("contenttypes", "0001_initial")]
    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            "DROP FUNCTION core_grant, core_refuse_change, core_shown, core_new_id, core_now",
        ),
    ]
