from pathlib import Path

import core.clock
import core.ids
import django.db.models.deletion
from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
        ("generation", "0010_placement"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reference",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "shape",
                    models.CharField(
                        choices=[("image", "Picture"), ("clip", "Short clip")], max_length=8
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                (
                    "rights",
                    models.CharField(
                        choices=[
                            ("own", "I made it, and it is mine to use"),
                            ("licensed", "Somebody else made it and lets me use it like this"),
                            ("public_domain", "Nobody holds rights in it any more"),
                        ],
                        max_length=16,
                    ),
                ),
                ("rights_words", models.TextField(blank=True)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("media_type", models.CharField(max_length=32)),
                ("storage_key", models.CharField(max_length=200, unique=True)),
                ("frames", models.PositiveIntegerField()),
                ("rate_num", models.PositiveIntegerField()),
                ("rate_den", models.PositiveIntegerField(default=1)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "removed_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("owner", "by its owner"),
                            ("left", "with its owner's leaving the programme"),
                            ("retention", "under the programme's terms of retention"),
                            ("erasure", "with the erasure of its owner's data"),
                        ],
                        max_length=16,
                    ),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("cleared_at", models.DateTimeField(null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="references",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="references",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReferenceStill",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("frame", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("storage_key", models.CharField(max_length=200, unique=True)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "reference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stills",
                        to="generation.reference",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JobCondition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("frame", models.PositiveIntegerField()),
                ("strength", models.FloatField(default=1.0)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conditions",
                        to="generation.job",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                (
                    "reference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conditions",
                        to="generation.reference",
                    ),
                ),
                (
                    "still",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.referencestill",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="reference",
            index=models.Index(
                fields=["party", "programme", "-made_at"], name="references_of_a_party"
            ),
        ),
        migrations.AddIndex(
            model_name="reference",
            index=models.Index(
                condition=models.Q(("cleared_at", None), ("removed_at__isnull", False)),
                fields=["due_at"],
                name="references_to_clear",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("frames", 1),
                        ("media_type__in", ["image/png", "image/jpeg", "image/webp"]),
                        ("rate_num", 0),
                        ("shape", "image"),
                    ),
                    models.Q(
                        ("frames__gte", 1),
                        ("media_type", "video/mp4"),
                        ("rate_num__gte", 1),
                        ("shape", "clip"),
                    ),
                    _connector="OR",
                ),
                name="a_reference_is_a_picture_or_a_clip",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rights__in", ["own", "licensed", "public_domain"]),
                    models.Q(
                        models.Q(("rights", "licensed"), _negated=True),
                        models.Q(("rights_words", ""), _negated=True),
                        _connector="OR",
                    ),
                ),
                name="a_reference_states_its_rights",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bytes__gte", 1),
                    ("bytes__lte", 20971520),
                    ("rate_den__gte", 1),
                    ("sha256__regex", "^[0-9a-f]{64}$"),
                ),
                name="a_reference_is_a_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("cleared_at", None),
                        ("due_at", None),
                        ("removed_at", None),
                        ("removed_why", ""),
                    ),
                    models.Q(
                        ("due_at__gte", models.F("removed_at")),
                        ("removed_at__isnull", False),
                        ("removed_why__in", ["owner", "left", "retention", "erasure"]),
                        models.Q(
                            ("cleared_at", None),
                            ("cleared_at__gte", models.F("due_at")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="a_reference_goes_in_steps",
            ),
        ),
        migrations.AddConstraint(
            model_name="referencestill",
            constraint=models.UniqueConstraint(
                fields=("reference", "frame"), name="one_still_per_frame"
            ),
        ),
        migrations.AddConstraint(
            model_name="referencestill",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bytes__gte", 1),
                    ("height__gte", 1),
                    ("sha256__regex", "^[0-9a-f]{64}$"),
                    ("width__gte", 1),
                ),
                name="a_still_is_a_picture",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobcondition",
            constraint=models.UniqueConstraint(
                fields=("job", "number"), name="conditions_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="jobcondition",
            constraint=models.UniqueConstraint(
                fields=("job", "frame"), name="one_picture_per_frame"
            ),
        ),
        migrations.AddConstraint(
            model_name="jobcondition",
            constraint=models.CheckConstraint(
                condition=models.Q(("strength__gt", 0), ("strength__lte", 1)),
                name="a_condition_has_a_strength",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        never_deleted("generation_reference"),
        append_only("generation_referencestill"),
        append_only("generation_jobcondition"),
        grant(
            "GRANT UPDATE (removed_at, removed_why, due_at, cleared_at, name)"
            " ON generation_reference TO {app}"
        ),
    ]
