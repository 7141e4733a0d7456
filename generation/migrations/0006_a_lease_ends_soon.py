from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0005_own_programme_rules")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
