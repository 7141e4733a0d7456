"""One of everything, committed, so that every rule has a row to be broken on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import connection
from invariants.door_world import DoorWorld, a_door_world
from invariants.extension_world import ExtensionWorld, an_extension_world
from invariants.own_programme_world import (
    OwnProgrammeWorld,
    an_own_programme_world,
    some_clips,
)
from invariants.reference_world import ReferenceWorld, a_reference_world
from invariants.review_world import ReviewWorld, a_review_world
from invariants.style_world import StyleWorld, a_style_world
from invariants.webhook_world import WebhookWorld, a_webhook_world

from accounts.invitations.commands import invite_person
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.people.models import Party
from accounts.programmes.models import Role
from core.clock import now
from core.idempotency.models import KeptAnswer
from core.ids import new_id, shown
from core.outbox.models import OutboxCursor
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.clips.commands import say_why
from generation.jobs.rules import State
from generation.machines.commands import admit_machine, revoke_worker_credential
from generation.placement.commands import place_model
from generation.placement.models import Device
from generation.renditions.models import Opening
from stage.builders import a_clip, a_job, a_model, a_programme
from stage.cast import Member, a_member
from stage.clock import Clock

NOT_YET = UUID(int=0)


@dataclass
class World:
    tester: Member
    second_tester: Member
    reviewer: Member
    stranger: Member
    review: ReviewWorld = field(init=False)
    own: OwnProgrammeWorld = field(init=False)
    references: ReferenceWorld = field(init=False)
    styles: StyleWorld = field(init=False)
    webhooks: WebhookWorld = field(init=False)
    extensions: ExtensionWorld = field(init=False)
    door: DoorWorld = field(init=False)
    jobs: dict[str, UUID] = field(default_factory=dict)
    clip: UUID = NOT_YET
    master: UUID = NOT_YET
    token: UUID = NOT_YET
    session: UUID = NOT_YET
    model_with_limits: UUID = NOT_YET
    spare_party: UUID = NOT_YET
    strange_acceptance: UUID = NOT_YET
    others_acceptance: UUID = NOT_YET
    others_credential: UUID = NOT_YET
    others_thread: UUID = NOT_YET
    thread_of_running: UUID = NOT_YET

    def job(self, state: str) -> str:
        """A condition that names the job in this state."""
        return f"id = '{self.jobs[state]}'"

    def reservation(self, state: str) -> str:
        return f"work_id = '{self.jobs[state]}'"


def a_world(clock: Clock) -> World:
    studio, elsewhere = a_programme("studio"), a_programme("elsewhere")
    world = World(
        tester=a_member(studio, Role.TESTER, name="tester"),
        second_tester=a_member(studio, Role.TESTER, name="second tester"),
        reviewer=a_member(studio, Role.REVIEWER, name="reviewer"),
        stranger=a_member(elsewhere, Role.TESTER, name="stranger"),
    )
    world.review = a_review_world(world, clock)
    clips = some_clips(world)
    _work(world)
    _work_of_others(world)
    world.door = a_door_world(world.tester, world.second_tester)
    world.references = a_reference_world(world.tester, world.second_tester)
    world.styles = a_style_world(world.tester)
    world.extensions = an_extension_world(world.tester, world.second_tester)
    world.webhooks = a_webhook_world(world.tester)
    _look(world)
    _add_a_model(world)
    _invite(world)
    _leave_traces(world)
    world.own = an_own_programme_world(world, clips)
    return world


def _work(world: World) -> None:
    clip = a_clip(world.tester)
    world.clip, world.jobs["finished"] = clip.id, clip.job_id
    world.master = clip.renditions.get(kind="master").id
    for state in (State.FAILED, State.HELD, State.CANCELLED, State.RUNNING, State.QUEUED):
        job = a_job(world.tester, state=state.value)
        world.jobs[state.value] = job.id
        if state is State.RUNNING:
            world.thread_of_running = job.thread_id
    place_model(device=Device.objects.get(), slug="still", is_warm=True)
    _live, (revoked, _text) = (admit_machine(machine="gpu-room") for _ in range(2))
    revoke_worker_credential(credential=revoked)


def _add_a_model(world: World) -> None:
    """Not offered: its only check failed, and its licence does not hold everywhere."""
    model = a_model("added", state="added", territories_excluded=["NL"])
    ModelTier.objects.create(model=model, tier="turbo", levers={"steps": 4})
    ModelCheck.objects.create(model=model, device="cpu", has_passed=False, code="black_clip")
    world.model_with_limits = model.id


def _work_of_others(world: World) -> None:
    job = a_job(world.second_tester)
    world.others_acceptance, world.others_thread = job.acceptance_id, job.thread_id
    world.others_credential = job.credential_id
    world.strange_acceptance = world.stranger.party.acceptances.get().id
    world.spare_party = Party.objects.create(kind="organisation").id
    world.token = world.tester.token_actor().credential_id
    world.session = world.tester.actor.credential_id


def _look(world: World) -> None:
    reader = world.reviewer.actor
    say_why(actor=reader, shown_id=shown("clip", world.clip), why="review")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record_opening(%s, %s, %s)",
            [world.master, reader.party_id, reader.credential_id],
        )
    assert Opening.objects.exists()


def _invite(world: World) -> None:
    programme = world.tester.programme.id
    invite_person(programme_id=programme, email="open@studio.example", role=Role.TESTER)
    invite_person(programme_id=programme, email="gone@studio.example", role=Role.TESTER)
    gone = Invitation.objects.filter(email="gone@studio.example")
    gone.update(email="", ended_at=now() + timedelta(seconds=1))


def _leave_traces(world: World) -> None:
    Notice.objects.create(
        id=new_id(),
        party_id=world.tester.party_id,
        kind="job.finished",
        subject_kind="job",
        subject_id=world.jobs["finished"],
    )
    OutboxCursor.objects.create(listener="ear", xid=1, message_id=new_id())
    KeptAnswer.objects.create(scope="s", key="k", payload_sha256=b"", status=201)
