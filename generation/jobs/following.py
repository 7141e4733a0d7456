"""How a job stands, for whoever asks again and again: one statement for all that is shown of it.

By hand, and planned once for each connection: Django takes longer to write the five statements of
a list than PostgreSQL takes to answer them. Pictures and styles are asked for only where the job
has any.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Model, prefetch_related_objects

from accounts.credentials.queries import Actor
from accounts.quotas.models import Reservation
from core.errors import Absent
from core.ids import read_id
from core.planned import planned_row
from generation.catalogue.models import VideoModel
from generation.jobs.models import Job, JobCondition, JobStyle
from generation.jobs.queries import Standing, parts_of_jobs

STANDING = ("state", "stage", "steps_done", "steps", "place", "eta_s", "clip_id")


@dataclass(frozen=True, slots=True)
class Followed:
    """``further`` is what the caller asked for besides, by the names it gave."""

    job: Job
    standing: Standing
    further: dict[str, Any]


def followed(actor: Actor, shown_id: str, *, further: str = "") -> Followed:
    """The actor's own job by its public id, and where it stands. Raises ``Absent`` for any other.

    ``further`` are columns that the statement gives besides; in it ``j`` is the job and ``c`` its
    clip. It is a part of our own source, never of a request.
    """
    job_id = read_id("job", shown_id)
    row = _row(job_id, actor, further) if job_id else None
    if row is None:
        raise Absent
    return _read(row)


def _row(job_id: UUID, actor: Actor, further: str) -> dict[str, Any] | None:
    values = [job_id, actor.party_id, actor.programme]
    return planned_row(_statement(further), "uuid, uuid, uuid", values)


@cache
def _statement(further: str) -> str:
    columns = [
        *_columns("j", Job),
        *_columns("m", VideoModel),
        *(f"l.{name} AS l_{name}" for name in STANDING),
        "r.settled AS r_settled",
        "c.id AS c_id",
        "x.job_id AS x_job_id",
        "EXISTS (SELECT FROM generation_jobcondition WHERE job_id = j.id) AS has_conditions",
        "EXISTS (SELECT FROM generation_jobstyle WHERE job_id = j.id) AS has_styles",
        *([further] if further else []),
    ]
    return (
        f"SELECT {', '.join(columns)} FROM generation_job j"  # noqa: S608  (all of it is ours)
        " JOIN generation_videomodel m ON m.id = j.model_id"
        " LEFT JOIN accounts_reservation r ON r.id = j.reservation_id"
        " LEFT JOIN generation_clip c ON c.job_id = j.id"
        " LEFT JOIN generation_clip x ON x.id = j.extends_id,"
        " LATERAL live_job(j.id) AS l"
        " WHERE j.id = $1 AND j.party_id = $2 AND j.programme_id = $3"
    )


@cache
def _fields(model: type[Model]) -> list[tuple[str, str]]:
    """Attribute and column of each of its fields that a driver's value is good enough for; the
    others (JSON) are read when they are asked for."""
    return [
        (field.attname, str(field.column))
        for field in model._meta.concrete_fields  # noqa: SLF001
        if not hasattr(field, "from_db_value")
    ]


def _columns(table: str, model: type[Model]) -> list[str]:
    return [f'{table}."{column}" AS "{table}_{name}"' for name, column in _fields(model)]


def _read(row: dict[str, Any]) -> Followed:
    job = _instance("j", Job, row)
    job.model = _instance("m", VideoModel, row)
    settled = [job.reservation_id, row["r_settled"]]
    job.reservation = Reservation.from_db("default", ["id", "settled"], settled)
    job._state.fields_cache["clip"] = _known_clip(row["c_id"], job.id)  # noqa: SLF001
    if job.extends_id:
        job.extends = _known_clip(job.extends_id, row["x_job_id"])
    _with_parts(job, row)
    standing = Standing(*(row[f"l_{name}"] for name in STANDING))
    return Followed(job, standing, row)


def _instance(table: str, model: type[Model], row: dict[str, Any]) -> Any:
    names = [name for name, _column in _fields(model)]
    return model.from_db("default", names, [row[f"{table}_{name}"] for name in names])


def _known_clip(clip_id: UUID | None, job_id: UUID) -> Any:
    """Of a clip only what it is called; whatever else is asked of it costs a query."""
    clip: Any = Job._meta.get_field("extends").related_model  # noqa: SLF001  (a feature above this)
    return clip.from_db("default", ["id", "job_id"], [clip_id, job_id]) if clip_id else None


def _with_parts(job: Job, row: dict[str, Any]) -> None:
    """As ``jobs_of`` gives them."""
    if row["has_conditions"] or row["has_styles"]:
        prefetch_related_objects([job], *parts_of_jobs())
        return
    kept = job.__dict__.setdefault("_prefetched_objects_cache", {})
    kept.update(conditions=_none_of(JobCondition), styles=_none_of(JobStyle))


def _none_of(model: type[Model]) -> Any:
    """A list that was asked for and is empty."""
    found = model._default_manager.none()  # noqa: SLF001
    found._result_cache = []  # noqa: SLF001
    return found
