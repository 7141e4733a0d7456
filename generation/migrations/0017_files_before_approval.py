from pathlib import Path

import django.db.models.deletion
from core.sql.operations import grant, never_deleted
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0016_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="FilesBefore",
            fields=[
                (
                    "programme",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="files_before",
                        serialize=False,
                        to="accounts.programme",
                    ),
                ),
                (
                    "allows",
                    models.CharField(
                        choices=[
                            ("clip", "Everything, the clip itself too"),
                            ("preview", "The light copy and the pictures"),
                            ("pictures", "The pictures alone"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("allows__in", ["clip", "preview", "pictures"])),
                        name="a_programme_says_which_files",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldBack",
            fields=[
                (
                    "clip",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="held_back",
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
                (
                    "allows",
                    models.CharField(
                        choices=[
                            ("clip", "Everything, the clip itself too"),
                            ("preview", "The light copy and the pictures"),
                            ("pictures", "The pictures alone"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("allows__in", ["preview", "pictures"])),
                        name="what_is_held_back_is_less",
                    )
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        never_deleted("generation_filesbefore"),
        # The floor above writes both, by triggers in the application's name, and its laws refuse
        # all else.
        grant("GRANT UPDATE (allows) ON generation_filesbefore TO {app}"),
        grant("GRANT DELETE ON generation_heldback TO {app}"),
    ]
