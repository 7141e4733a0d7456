"""What was ordered and deleted through /v1."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.ids import shown
from generation.jobs.commands import cancel_job, mark_deleted, submit_job
from generation.jobs.queries import job_for
from stage.builders import a_job, a_wish
from stage.cast import Member

FINGERPRINT = "cd" * 32


@dataclass
class DoorWorld:
    """``deleted`` was cancelled and is absent at /v1; ``standing`` is cancelled alone;
    ``others`` is another tester's."""

    deleted: UUID
    standing: UUID
    others: UUID


def a_door_world(tester: Member, second_tester: Member) -> DoorWorld:
    job = submit_job(actor=tester.actor, wish=a_wish(), fingerprint=FINGERPRINT)
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    mark_deleted(actor=tester.actor, job=job_for(tester.actor, shown("job", job.id)))
    others = a_job(second_tester, state="cancelled")
    standing = submit_job(actor=tester.actor, wish=a_wish())
    cancel_job(actor=tester.actor, shown_id=shown("job", standing.id))
    return DoorWorld(job.id, standing.id, others.id)
