"""References that stand, that were removed and that are gone; and a job that shows one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core.clock import CoreNow, now
from core.ids import shown
from generation.jobs.conditions import WishedCondition
from generation.references.models import Reference, ReferenceStill
from stage.builders import a_job, a_model, a_reference
from stage.cast import Member

PICTURED = "pictured"


@dataclass
class ReferenceWorld:
    model: UUID
    standing: Reference
    clip: Reference
    removed: Reference
    cleared: Reference
    others: Reference
    still: ReferenceStill
    others_still: ReferenceStill


def a_still(reference: Reference) -> ReferenceStill:
    return ReferenceStill.objects.create(
        reference=reference,
        frame=0,
        sha256="ef" * 32,
        bytes=10,
        width=64,
        height=48,
        storage_key=f"references/{reference.id}/0.png",
    )


def a_reference_world(tester: Member, second_tester: Member) -> ReferenceWorld:
    model = a_model(PICTURED, modes=["text", "image", "first_last"], most_conditions=2)
    film = {"shape": "clip", "media_type": "video/mp4", "frames": 8, "rate_num": 8}
    standing, removed, cleared = (a_reference(tester) for _ in range(3))
    others = a_reference(second_tester)
    made = ReferenceWorld(
        model=model.id,
        standing=standing,
        clip=a_reference(tester, **film),
        removed=removed,
        cleared=cleared,
        others=others,
        still=a_still(standing),
        others_still=a_still(others),
    )
    a_still(removed)
    gone = {"removed_at": CoreNow(), "removed_why": "owner"}
    Reference.objects.filter(id=removed.id).update(**gone, due_at=now() + timedelta(days=30))
    Reference.objects.filter(id=cleared.id).update(**gone, due_at=CoreNow())
    Reference.objects.filter(id=cleared.id).update(cleared_at=CoreNow())
    picture = WishedCondition(shown("reference", standing.id))
    a_job(tester, model=PICTURED, conditions=(picture,))
    return made
