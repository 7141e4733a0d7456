from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0013_words_and_native_sizes"),
    ]

    operations = [
        migrations.AddField(
            model_name="videomodel",
            name="takes_strength",
            field=models.BooleanField(default=False),
        ),
        migrations.RemoveConstraint(model_name="videomodel", name="one_revision_is_offered"),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
