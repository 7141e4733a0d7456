from pathlib import Path

from core.sql.operations import grant
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0004_rates_begin_after_deeds"),
        ("generation", "0005_own_programme_rules"),
    ]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        # The case's trigger writes it in the application's name; viewing_law refuses all else.
        grant("GRANT UPDATE (until) ON generation_viewing TO {app}"),
    ]
