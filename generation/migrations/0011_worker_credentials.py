from pathlib import Path

import core.clock
import core.ids
from core.sql.operations import grant, never_deleted
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0008_references"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerCredential",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("machine", models.CharField(max_length=64)),
                ("key_id", models.CharField(max_length=12, unique=True)),
                ("digest", models.BinaryField()),
                ("pepper_id", models.CharField(max_length=16)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("machine__regex", "^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$")),
                        name="a_worker_credential_names_its_machine",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("key_id__regex", "^[0-9A-Za-z]{12}$"),
                            models.Q(("pepper_id", ""), _negated=True),
                        ),
                        name="a_worker_credential_has_a_key_and_a_pepper",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None),
                            ("revoked_at__gte", models.F("made_at")),
                            _connector="OR",
                        ),
                        name="a_worker_credential_is_revoked_after_it_is_made",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        never_deleted("generation_workercredential"),
        grant("GRANT UPDATE (last_used_at, revoked_at) ON generation_workercredential TO {app}"),
    ]
