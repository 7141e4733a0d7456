from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0005_looking_ends_with_the_case"),
        ("generation", "0007_lighter_files"),
    ]
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
