from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0017_files_before_approval"),
        ("review", "0007_what_may_go"),
    ]

    operations = [
        migrations.AddField(
            model_name="policyversion",
            name="files_before",
            field=models.CharField(
                choices=[
                    ("clip", "Everything, the clip itself too"),
                    ("preview", "The light copy and the pictures"),
                    ("pictures", "The pictures alone"),
                ],
                default="clip",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("files_before__in", ["clip", "preview", "pictures"])),
                name="a_policy_says_which_files",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
