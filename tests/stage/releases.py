"""Very many releases, as copies of one: rendering a thousand clips would take an afternoon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from review.releases.models import Release

if TYPE_CHECKING:
    from stage.database import Database

# Each table with what points from it to a copy, and what must differ in each copy.
_COPIED = [
    ("generation_job", "j.id = c.job_id", {"reservation_id": "core_new_id()"}, "queue_number"),
    ("generation_clip", "j.id = c.id", {"thread_id": "core_new_id()"}, ""),
    ("generation_rendition", "j.clip_id = c.id", {"storage_key": "core_new_id()::text"}, ""),
    ("review_creditline", "j.clip_id = c.id", {}, ""),
    ("review_decision", "j.chain_id = c.id", {"case_id": "core_new_id()"}, ""),
    ("review_release", "j.clip_id = c.id", {}, ""),
]


def copies_of(database: Database, release: Release, numbers: range) -> None:
    """Committed, past triggers and keys; needs a transactional test. Each a second older.

    ``numbers`` tell the copies apart, from 1.
    """
    with database.superuser.transaction():
        database.superuser.execute("SET LOCAL session_replication_role = replica")
        for number in numbers:
            _copy(database.superuser, release, number)


def _copy(connection: Any, release: Release, number: int) -> None:
    clip = release.clip
    new = {"job": _moved(clip.job_id, number), "clip": _moved(clip.id, number)}
    for table, where, others, counter in _COPIED:
        changes = {"id": "core_new_id()", **others}
        if table == "generation_job":
            changes["id"] = f"'{new['job']}'"
        if table == "generation_clip":
            changes |= {"id": f"'{new['clip']}'", "job_id": f"'{new['job']}'"}
        if "clip_id" in where:
            changes["clip_id"] = f"'{new['clip']}'"
        if "chain_id" in where:
            changes |= {
                "chain_id": f"'{new['clip']}'",
                "id": f"'{_moved(release.decision_id, number)}'",
            }
        if table == "review_release":
            changes |= {
                "decision_id": f"'{_moved(release.decision_id, number)}'",
                "released_at": f"j.released_at - make_interval(secs => {number})",
            }
        if counter:
            changes[counter] = str(1_000_000 + number)
        said = ", ".join(f"'{name}', {value}" for name, value in changes.items())
        connection.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"
            f" to_jsonb(j) || jsonb_build_object({said}))).*"
            f" FROM {table} j JOIN generation_clip c ON {where} WHERE c.id = %s",
            [clip.id],
        )


def _moved(value: UUID, number: int) -> UUID:
    """An id of the same shape that no other copy has."""
    return UUID(int=value.int ^ (number << 8))
