from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("review", "0003_roles_and_files"), ("accounts", "0009_one_at_a_time")]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
