from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0015_door"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="extends",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="extensions",
                to="generation.clip",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="frames_before",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("extends", None), ("frames_before", 0)),
                    models.Q(
                        ("extends__isnull", False), ("frames__gte", 2), ("frames_before__gte", 1)
                    ),
                    _connector="OR",
                ),
                name="job_has_frames_before_iff_it_extends",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("extends__isnull", False)),
                fields=["extends"],
                name="jobs_by_what_they_extend",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
