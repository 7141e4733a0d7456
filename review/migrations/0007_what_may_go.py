from pathlib import Path

import django.db.models.deletion
from core.sql.operations import grant
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0007_lighter_files"),
        ("review", "0006_indices_by_their_name"),
    ]
    operations = [
        migrations.CreateModel(
            name="Perishable",
            fields=[
                (
                    "clip",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="perishable",
                        serialize=False,
                        to="generation.clip",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["programme", "made_at"], name="clips_that_may_go")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(
                condition=models.Q(("ended_at", None)),
                fields=["programme", "released_at"],
                name="releases_that_stand",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        # The triggers write it in the application's name; perishable_law refuses all else.
        grant("GRANT DELETE ON review_perishable TO {app}"),
    ]
