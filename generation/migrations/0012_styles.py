from pathlib import Path

import core.clock
import core.ids
import django.db.models.deletion
from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0011_worker_credentials"),
    ]

    operations = [
        migrations.CreateModel(
            name="Style",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=64)),
                ("revision", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=120)),
                ("description", models.CharField(max_length=300)),
                ("trigger", models.CharField(blank=True, max_length=300)),
                ("licence", models.CharField(max_length=120)),
                ("licence_address", models.CharField(blank=True, max_length=300)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("usual_weight", models.FloatField(default=1.0)),
                ("least_weight", models.FloatField(default=0.0)),
                ("most_weight", models.FloatField(default=1.5)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("added", "Added"),
                            ("offered", "Offered"),
                            ("retired", "Retired"),
                        ],
                        default="added",
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("slug", "revision"), name="one_row_per_style_revision"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "offered")),
                        fields=("slug",),
                        name="one_revision_of_a_style_is_offered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["added", "offered", "retired"])),
                        name="style_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bytes__gte", 1), ("sha256__regex", "^[0-9a-f]{64}$")),
                        name="a_style_is_a_file",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revision__gte", 1),
                            models.Q(("slug", ""), _negated=True),
                            models.Q(("name", ""), _negated=True),
                            models.Q(("description", ""), _negated=True),
                            models.Q(("licence", ""), _negated=True),
                        ),
                        name="a_style_says_what_it_is",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least_weight__gte", -2),
                            ("most_weight__gte", models.F("usual_weight")),
                            ("most_weight__lte", 2),
                            ("usual_weight__gte", models.F("least_weight")),
                            models.Q(("usual_weight", 0), _negated=True),
                        ),
                        name="a_style_has_a_usual_weight_in_its_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StyleFit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("layers", models.PositiveIntegerField()),
                ("rank", models.PositiveIntegerField()),
                ("checked_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="style_fits",
                        to="generation.videomodel",
                    ),
                ),
                (
                    "style",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fits",
                        to="generation.style",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("style", "model"), name="a_style_fits_a_model_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("layers__gte", 1), ("rank__gte", 1)),
                        name="a_fit_changes_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JobStyle",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("weight", models.FloatField()),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="styles",
                        to="generation.job",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.videomodel",
                    ),
                ),
                (
                    "style",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="job_styles",
                        to="generation.style",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("job", "number"), name="styles_of_a_job_are_numbered"
                    ),
                    models.UniqueConstraint(
                        fields=("job", "style"), name="a_style_is_used_once_in_a_job"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__lte", 2)),
                        name="a_job_has_three_styles_at_most",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        never_deleted("generation_style"),
        append_only("generation_stylefit"),
        append_only("generation_jobstyle"),
        grant("GRANT UPDATE (state) ON generation_style TO {app}"),
    ]
