"""Things on the stage, made by the house's own commands wherever there is one."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.programmes.commands import ParticularsWish, make_programme, open_programme
from accounts.programmes.models import Programme
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Kind
from core.ids import new_id, shown
from generation.catalogue.models import PriceRow, VideoModel
from generation.catalogue.rules import split_name
from generation.clips.models import Clip
from generation.engines.protocol import Stage, Watch
from generation.jobs.commands import cancel_job, submit_job
from generation.jobs.models import Job
from generation.jobs.orders import Wish
from generation.jobs.rules import State
from generation.references.models import Reference
from generation.worker import rendering
from generation.worker.commands import Claim, claim_next_job, fail_job, hold_running_job
from generation.worker.identity import this_worker
from generation.worker.rules import StepLimits
from stage.together import wait_until

if TYPE_CHECKING:
    from stage.cast import Member

CREDITS_OF_A_TESTER = 100_000
CREDITS_OF_A_PROGRAMME = 10_000_000


def a_programme(slug: str) -> Programme:
    """Open, with an agreement in force and credits for a great many clips."""
    programme = make_programme(slug=slug, wish=ParticularsWish(slug.title()))
    publish_agreement(
        programme_id=programme.id,
        text="You may make clips. You may say what you think of them.",
        summary="Make clips, speak freely.",
    )
    grant_budget(programme_id=programme.id, kind=Kind.CREDITS, limit=CREDITS_OF_A_PROGRAMME)
    return open_programme(programme_id=programme.id)


def a_model(slug: str = "still", **facts: Any) -> VideoModel:
    """A model of the ``still`` engine: 8 frames a second, 1 to 80 frames, two sizes, two tiers.

    The small standard one costs 1 credit a second.
    """
    usual = {
        "revision": "1",
        "name": slug.title(),
        "engine": "still",
        "licence": "Apache-2.0",
        "frame_step": 1,
        "frame_offset": 0,
        "min_frames": 1,
        "max_frames": 80,
        "rate_num": 8,
    }
    model = VideoModel.objects.create(slug=slug, **(usual | facts))
    PriceRow.objects.bulk_create(
        [
            a_price(model, "standard", 128, 96, credits_per_second=1),
            a_price(model, "turbo", 128, 96, credits_per_second=2, steps=2),
            a_price(model, "standard", 256, 144, credits_per_second=4),
        ]
    )
    return model


def a_price(
    model: VideoModel,
    tier: str,
    width: int,
    height: int,
    *,
    credits_per_second: int,
    steps: int = 4,
) -> PriceRow:
    return PriceRow(
        model=model,
        tier=tier,
        width=width,
        height=height,
        generated_width=width,
        generated_height=height,
        steps=steps,
        credits_per_second=credits_per_second,
    )


def a_wish(**wanted: Any) -> Wish:
    """A clip of one second on the small standard tier: 8 frames, 1 credit."""
    usual: dict[str, Any] = {
        "prompt": "a paper boat crosses a green room",
        "model": "still",
        "width": 128,
        "height": 96,
        "seconds": Fraction(1),
        "seed": 7,
    }
    return Wish(**(usual | wanted))


def a_job(member: Member, *, state: str = "queued", **wanted: Any) -> Job:
    """One job brought to this state by the commands of the house.

    Makes the model where there is none yet. Beyond ``queued`` nobody else may wait in its lane.
    """
    slug, _revision = split_name(wanted.get("model", "still"))
    if not VideoModel.objects.filter(slug=slug).exists():
        a_model(slug)
    job = submit_job(actor=member.actor, wish=a_wish(**wanted))
    _bring(member, job, State(state))
    return Job.objects.select_related("model").get(id=job.id)


def a_reference(member: Member, **facts: Any) -> Reference:
    """A picture without a file, for whoever only looks at the row."""
    usual = {
        "id": new_id(),
        "programme": member.programme,
        "party": member.party,
        "credential_id": member.actor.credential_id,
        "shape": "image",
        "name": "boat.png",
        "rights": "own",
        "sha256": "cd" * 32,
        "bytes": 10,
        "media_type": "image/png",
        "storage_key": f"references/{new_id()}/original.png",
        "frames": 1,
        "rate_num": 0,
    }
    return Reference.objects.create(**(usual | facts))


def a_claim(member: Member, **wanted: Any) -> Claim:
    """A job in the hands of this process, as a worker that has just taken it."""
    return claim_of(a_job(member, **wanted))


def claim_of(job: Job) -> Claim:
    claim = claim_next_job(lanes=[job.lane], worker=this_worker())
    assert claim is not None
    assert claim.job.id == job.id, "somebody else waits in this lane"
    return claim


def a_clip(member: Member, **wanted: Any) -> Clip:
    """Rendered and encoded for real (8 small frames), with its renditions and files."""
    return Clip.objects.select_related("job").get(job=a_job(member, state="finished", **wanted))


def _bring(member: Member, job: Job, state: State) -> None:
    if state is State.QUEUED:
        return
    if state is State.CANCELLED:
        cancel_job(actor=member.actor, shown_id=shown("job", job.id))
        return
    if state is State.FINISHED:
        render_job(job)
        return
    claim = claim_of(job)
    if state is State.HELD:
        hold_running_job(claim, device_ms=1)
    elif state is State.FAILED:
        fail_job(claim, code="engine_error", may_pass=False, device_ms=1)


def render_job(job: Job) -> None:
    """Rendered here, or by the room's own worker where that is quicker."""
    claim = claim_next_job(lanes=[job.lane], worker=this_worker())
    if claim is None:
        wait_until(lambda: Job.objects.get(id=job.id).state == State.FINISHED)
        return
    assert claim.job.id == job.id, "somebody else waits in this lane"
    _render(claim)


class NoHeartbeat(Watch):
    """Stands in for ``LeaseWatch``, whose second connection would not see uncommitted rows."""

    device_ms = 40

    def tick(self, stage: Stage, step: int, steps: int) -> None: ...

    def expect(self, limits: StepLimits) -> None: ...


def _render(claim: Claim) -> None:
    folder = rendering.attempt_folder(claim)
    watch: Any = NoHeartbeat()
    runner, recording = rendering._recorded(claim, watch, folder)
    rendering._finished(claim, watch, runner, recording, folder)


@pytest.fixture
def model(db: None) -> VideoModel:
    return a_model()
