"""Clips that are extended, gone and somebody else's; one that is held back until it is approved."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.programmes.models import Role
from core.clock import now
from core.ids import shown
from generation.clips.commands import announce_removal, finish_removal
from generation.clips.models import Clip, HeldBack, Removal
from generation.clips.rules import Allows
from generation.jobs.models import Job
from review.policies.commands import publish_policy
from stage.builders import a_clip, a_job, a_model, a_programme
from stage.cast import Member, a_member
from stage.review import CLAUSES

LONGER = "longer"


@dataclass
class ExtensionWorld:
    """``whole`` is a job that waits and extends ``source``; ``held`` is of a programme that gives
    previews only, ``open_clip`` is older than that. The model ``plain`` takes no pictures."""

    plain: UUID
    source: Clip
    removed: Clip
    others: Clip
    whole: Job
    held: Clip
    open_clip: Clip


def an_extension_world(tester: Member, second_tester: Member) -> ExtensionWorld:
    a_model(LONGER, modes=["text", "image", "first_last"], most_conditions=2)
    removed, source = (a_clip(tester, model=LONGER, seed=seed) for seed in (70, 71))
    others = a_clip(second_tester, model=LONGER)
    announced = announce_removal(clip=removed, why=Removal.Why.OWNER, due_at=now())
    assert finish_removal(removal=announced)
    whole = a_job(tester, model=LONGER, extends=shown("clip", source.id))
    open_clip, held = _held_back()
    return ExtensionWorld(held.job.model_id, source, removed, others, whole, held, open_clip)


def _held_back() -> tuple[Clip, Clip]:
    strict = a_programme("strict")
    maker = a_member(strict, Role.TESTER, name="maker")
    # A lane of its own, since whoever waits in the others is not rendered here.
    a_model("guarded")
    open_clip = a_clip(maker, model="guarded")
    publish_policy(
        programme_id=strict.id,
        introduction="Why a clip may be declined.",
        clauses=CLAUSES,
        files_before=Allows.PREVIEW,
    )
    held = a_clip(maker, model="guarded", seed=72)
    assert HeldBack.objects.get().clip_id == held.id
    return open_clip, held
