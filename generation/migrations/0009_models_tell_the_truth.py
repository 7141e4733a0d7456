from pathlib import Path

import core.clock
import core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
import generation.catalogue.models
from core.sql.operations import append_only
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0007_lighter_files"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("device", models.CharField(max_length=64)),
                ("has_passed", models.BooleanField()),
                ("code", models.CharField(blank=True, max_length=48)),
                ("load_ms", models.PositiveIntegerField(default=0)),
                ("clip_ms", models.PositiveIntegerField(default=0)),
                ("facts", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="ModelTier",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tier", models.CharField(max_length=16)),
                ("levers", models.JSONField(blank=True, default=dict)),
                ("is_lossy", models.BooleanField(default=False)),
                ("measured", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="videomodel",
            name="model_state_is_known",
        ),
        migrations.AddField(
            model_name="videomodel",
            name="family",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="has_sound",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="licence_address",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="modes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16),
                default=generation.catalogue.models.text_only,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="most_conditions",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="provenance_duty",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="source",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="takes_styles",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="territories_excluded",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="weights",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name="videomodel",
            name="state",
            field=models.CharField(
                choices=[("added", "Added"), ("offered", "Offered"), ("retired", "Retired")],
                default="offered",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="videomodel",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["added", "offered", "retired"])),
                name="model_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="videomodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("modes__contained_by", ["text", "image", "first_last", "keyframes"]),
                    ("modes__contains", ["text"]),
                    models.Q(
                        models.Q(("modes", ["text"]), ("most_conditions", 0)),
                        ("most_conditions__gte", 1),
                        _connector="OR",
                    ),
                ),
                name="model_modes_are_known",
            ),
        ),
        migrations.AddField(
            model_name="modelcheck",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="checks",
                to="generation.videomodel",
            ),
        ),
        migrations.AddField(
            model_name="modeltier",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tiers",
                to="generation.videomodel",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code", ""), ("has_passed", True)),
                    models.Q(("has_passed", False), models.Q(("code", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_check_that_failed_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="modeltier",
            constraint=models.UniqueConstraint(fields=("model", "tier"), name="one_row_per_tier"),
        ),
        migrations.AddConstraint(
            model_name="modeltier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_lossy", False),
                    models.Q(
                        ("measured__has_keys", ["ssim", "psnr_db"]),
                        models.Q(("measured__ssim", None), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_lossy_tier_says_its_loss",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("generation_modeltier"),
        append_only("generation_modelcheck"),
    ]
