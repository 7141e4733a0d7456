"""Who and what the drivers find in the house: a tester each, and what is the same for all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from accounts.credentials.commands import revoke_token
from accounts.credentials.queries import actor_by_token
from accounts.programmes.models import Programme, Role
from core.ids import shown
from generation.catalogue.commands import STILL, offer_model, offer_still_model
from generation.clips.rules import Allows
from generation.jobs.models import Job
from generation.placement.commands import announce_device, place_model
from generation.placement.models import Device
from generation.renditions.models import Rendition
from generation.worker.identity import this_device, this_worker
from review.policies.commands import publish_policy
from stage.builders import a_clip, a_job, a_model, a_price, a_programme
from stage.cast import Member, a_member
from stage.clock import Clock
from stage.database import Database
from stage.review import CLAUSES, REASON, a_decision, a_submission, open_review

SMALL = {"width": 640, "height": 360}


@dataclass
class World:
    common: dict[str, Any]
    of_one: dict[str, dict[str, Any]]
    testers: dict[str, Member]
    reviewer: Member
    traveller: str

    def known_to(self, name: str) -> dict[str, Any]:
        return {**self.common, **self.of_one[name]}


def a_world(database: Database, names: list[str], folder: Path, media: Path) -> World:
    """Made before any worker runs: what is rendered here is rendered by this process."""
    offer_still_model()
    offer_model(replace(STILL, slug="later", name="Later", order=60))
    _a_model_that_is_not_ready()
    programme = a_programme("studio")
    open_review(programme)
    reviewer = a_member(programme, Role.REVIEWER, name="reviewer")
    testers = {name: a_member(programme, Role.TESTER, name=name) for name in names}
    of_one = {
        name: _of_one(tester, folder / f"{name}.png", number)
        for number, (name, tester) in enumerate(testers.items())
    }
    common = _common(programme, database, folder, media)
    _serve_all_but_later()
    traveller = a_member(programme, Role.TESTER, name="traveller").token()
    return World(common, of_one, testers, reviewer, traveller)


def video_of(job: Job) -> str:
    return f"video_{shown('job', job.id).partition('_')[2]}"


def _of_one(tester: Member, picture: Path, number: int) -> dict[str, Any]:
    """What only this client has: its tester's tokens, a failed video, a picture of its own."""
    revoked = tester.token(name="revoked")
    actor = actor_by_token(revoked)
    assert actor is not None
    revoke_token(actor=tester.actor, credential_id=actor.credential_id)
    Image.new("RGB", (64, 48), (number * 20, 90, 90)).save(picture)
    return {
        "token": tester.token(),
        "reader": tester.token("clips:read", name="reader"),
        "revoked": revoked,
        "failed": video_of(a_job(tester, model="later", state="failed", **SMALL)),
        "own_picture": str(picture),
    }


def _common(programme: Programme, database: Database, folder: Path, media: Path) -> dict[str, Any]:
    picture = folder / "boat.png"
    Image.new("RGB", (640, 360), "teal").save(picture)
    poor = a_member(programme, Role.TESTER, name="poor tester", credits=1)
    stranger = a_member(a_programme("elsewhere"), Role.TESTER, name="stranger")
    clip = a_clip(a_member(programme, Role.TESTER, name="sender"), **SMALL)
    master = Rendition.objects.get(clip=clip, kind="master")
    return {
        "picture": str(picture),
        "clip": str(media / master.storage_key),
        "poor": poor.token(),
        "strangers": video_of(a_job(stranger, model="later", **SMALL)),
        "strict": _strict(database),
    }


def _strict(database: Database) -> dict[str, Any]:
    """A programme where nothing but pictures of a clip is handed out before it is approved."""
    programme = a_programme("strict")
    open_review(programme)
    publish_policy(
        programme_id=programme.id,
        introduction="Only when it was looked at.",
        clauses=CLAUSES,
        files_before=Allows.PICTURES,
    )
    tester = a_member(programme, Role.TESTER, name="patient tester")
    reviewer = a_member(programme, Role.REVIEWER, name="strict reviewer")
    declined = a_submission(tester, a_clip(tester, **SMALL)).clip
    a_decision(reviewer, Clock(database), "declined")
    pending = a_submission(tester, a_clip(tester, seed=8, **SMALL)).clip
    return {
        "token": tester.token(),
        "pending": video_of(pending.job),
        "declined": video_of(declined.job),
        "reason": REASON,
    }


def _a_model_that_is_not_ready() -> None:
    """Its engine is there and its weights are not."""
    model = a_model("absent", engine="diffusers", checkpoint="absent", rate_num=24, order=900)
    a_price(model, "standard", 640, 360, credits_per_second=1).save()


def _serve_all_but_later() -> None:
    """Who orders from ``later`` waits until the end of time, and knows where it stands."""
    machine, name = this_worker().host, this_device()
    device = announce_device(machine=machine, name=name, lanes=[])
    place_model(device=Device.objects.get(id=device), slug="still", is_warm=False)
