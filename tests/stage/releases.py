"""Very many releases, as copies of one: rendering a thousand clips would take an afternoon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from review.releases.models import Release

if TYPE_CHECKING:
    from stage.database import Database

# Each table: how its rows hang on the clip, and what must differ in each copy.
_COPIED = {
    "generation_job": (
        "j.id = c.job_id",
        "'id', n.job, 'reservation_id', core_new_id(), 'queue_number', 1000000 + n.number",
    ),
    "generation_clip": (
        "j.id = c.id",
        "'id', n.clip, 'job_id', n.job, 'thread_id', core_new_id()",
    ),
    "generation_rendition": (
        "j.clip_id = c.id",
        "'id', core_new_id(), 'clip_id', n.clip, 'storage_key', core_new_id()",
    ),
    "review_creditline": ("j.clip_id = c.id", "'id', core_new_id(), 'clip_id', n.clip"),
    "review_decision": (
        "j.chain_id = c.id",
        "'id', n.decision, 'chain_id', n.clip, 'case_id', core_new_id()",
    ),
    "review_release": (
        "j.clip_id = c.id",
        """'id', core_new_id(), 'clip_id', n.clip, 'decision_id', n.decision,
        'released_at', j.released_at - make_interval(secs => n.number)""",
    ),
}


def copies_of(database: Database, release: Release, numbers: range) -> None:
    """Committed, past triggers and keys; needs a transactional test. Each a second older.

    ``numbers`` tell the copies apart, from 1.
    """
    with database.superuser.transaction():
        database.superuser.execute("SET LOCAL session_replication_role = replica")
        database.superuser.execute(
            "CREATE TEMPORARY TABLE copies ON COMMIT DROP AS SELECT number, core_new_id() AS job,"
            " core_new_id() AS clip, core_new_id() AS decision"
            " FROM generate_series(%s::int, %s::int) AS number",
            [numbers[0], numbers[-1]],
        )
        for table, (where, changes) in _COPIED.items():
            database.superuser.execute(
                f"INSERT INTO {table} SELECT copy.* FROM copies n, generation_clip c"
                f" JOIN {table} j ON {where}, LATERAL jsonb_populate_record(NULL::{table},"
                f" to_jsonb(j) || jsonb_build_object({changes})) AS copy WHERE c.id = %s",
                [release.clip_id],
            )
