from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("review", "0002_rules"), ("generation", "0005_own_programme_rules")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
