from pathlib import Path

from core.sql.operations import append_only, grant, never_deleted
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial"), ("accounts", "0002_rules")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        append_only("generation_thread"),
        append_only("generation_pricerow"),
        append_only("generation_clip"),
        append_only("generation_rendition"),
        append_only("generation_opening"),
        append_only("generation_viewing"),
        never_deleted("generation_videomodel"),
        never_deleted("generation_job"),
        never_deleted("generation_attempt"),
        grant('GRANT UPDATE (state, "order") ON generation_videomodel TO {app}'),
        grant(
            "GRANT UPDATE (state, vouched_by_id, fair_tag, fair_end, attempts, fence, lease_until,"
            " cancel_asked_at, held_until, stage, steps_done, finished_at, failure_code)"
            " ON generation_job TO {app}"
        ),
        grant("GRANT UPDATE (ended_at, outcome, code, device_ms) ON generation_attempt TO {app}"),
        # A row lock needs the right to update something.
        grant("GRANT UPDATE (made_at) ON generation_thread TO {app}"),
    ]
