from pathlib import Path

import core.clock
import core.ids
import django.db.models.deletion
from core.sql.operations import append_only
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0014_revisions_side_by_side"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="remix_of",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="remixes",
                to="generation.job",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(("remix_of", models.F("id")), _negated=True),
                name="a_job_is_no_remix_of_itself",
            ),
        ),
        migrations.CreateModel(
            name="JobRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="request",
                        to="generation.job",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["fingerprint", "-at"], name="requests_by_fingerprint")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("fingerprint__regex", "^[0-9a-f]{64}$")),
                        name="a_fingerprint_is_a_sha256",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeletedVideo",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deleted_video",
                        to="generation.job",
                    ),
                ),
            ],
        ),
        append_only("generation_jobrequest"),
        append_only("generation_deletedvideo"),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
