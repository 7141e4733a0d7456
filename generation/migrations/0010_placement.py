from pathlib import Path

import core.clock
import core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from core.sql.operations import grant, never_deleted
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0009_models_tell_the_truth"),
    ]

    operations = [
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.CharField(max_length=64)),
                ("tier", models.CharField(blank=True, max_length=16)),
                ("is_warm", models.BooleanField(default=False)),
            ],
        ),
        migrations.AddField(
            model_name="job",
            name="step_limit_s",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="stepped_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("machine", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=80)),
                ("label", models.CharField(blank=True, max_length=120)),
                ("memory_bytes", models.PositiveBigIntegerField(null=True)),
                ("slots", models.PositiveSmallIntegerField(default=1)),
                (
                    "lanes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=96),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("serving", "Serving"), ("draining", "Draining"), ("out", "Out")],
                        default="serving",
                        max_length=8,
                    ),
                ),
                ("deaths_in_a_row", models.PositiveSmallIntegerField(default=0)),
                ("out_reason", models.CharField(blank=True, max_length=48)),
                ("announced_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("seen_at", models.DateTimeField(db_default=core.clock.CoreNow())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("machine", "name"), name="a_device_is_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["serving", "draining", "out"])),
                        name="device_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "out"), models.Q(("out_reason", ""), _negated=True)),
                            models.Q(models.Q(("state", "out"), _negated=True), ("out_reason", "")),
                            _connector="OR",
                        ),
                        name="a_device_says_why_iff_it_is_out",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "out"), ("deaths_in_a_row__lt", 3), _connector="OR"
                        ),
                        name="three_deaths_take_a_device_out",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("slots", 1),
                            models.Q(("slots__gt", 1), ("name__startswith", "remote")),
                            _connector="OR",
                        ),
                        name="only_remote_devices_have_many_slots",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="on_device",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="generation.device",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="not_on",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="generation.device",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("step_limit_s", None), ("step_limit_s__gte", 60), _connector="OR"
                ),
                name="a_step_has_a_minute",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="placements",
                to="generation.device",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                fields=("device", "slug", "tier"), name="a_model_is_placed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_warm", True)),
                fields=("device",),
                name="one_warm_model_per_device",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        never_deleted("generation_device"),
        grant("GRANT UPDATE (stepped_at, step_limit_s, not_on_id) ON generation_job TO {app}"),
        grant(
            "GRANT UPDATE (label, memory_bytes, slots, lanes, state, deaths_in_a_row, out_reason,"
            " seen_at) ON generation_device TO {app}"
        ),
        grant("GRANT UPDATE (is_warm), DELETE ON generation_placement TO {app}"),
    ]
