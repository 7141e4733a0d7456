import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_rates"),
        ("generation", "0002_rules"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="opening",
            name="one_opening_per_viewer_and_half_hour",
        ),
        migrations.AlterField(
            model_name="opening",
            name="credential_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="opening",
            name="viewer",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.party",
            ),
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.UniqueConstraint(
                fields=("rendition", "viewer", "half_hour"),
                name="one_opening_per_viewer_and_half_hour",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credential_id", None), ("role", "public"), ("viewer", None)),
                    models.Q(
                        ("credential_id__isnull", False),
                        ("viewer__isnull", False),
                        models.Q(("role", "public"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="an_opening_names_a_viewer_or_the_public",
            ),
        ),
        migrations.RunSQL(
            # What review, credit and release point at.
            "ALTER TABLE generation_clip ADD CONSTRAINT clip_belongs_to_its_party"
            " UNIQUE (id, party_id, programme_id)",
            "ALTER TABLE generation_clip DROP CONSTRAINT clip_belongs_to_its_party",
        ),
    ]
