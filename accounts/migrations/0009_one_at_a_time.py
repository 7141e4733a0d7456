from pathlib import Path

import core.clock
from core.sql.operations import grant
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_own_programme_rules")]
    operations = [
        migrations.AddField(
            model_name="rate",
            name="number",
            field=models.PositiveIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="invitation",
            name="sent_at",
            field=models.DateTimeField(db_default=core.clock.CoreNow()),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.UniqueConstraint(
                fields=["programme", "kind", "number"], name="rates_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=Q(number__gte=1), name="rate_number_starts_at_one"
            ),
        ),
        grant("GRANT UPDATE (sent_at) ON accounts_invitation TO {app}"),
    ]
