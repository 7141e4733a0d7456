"""Clips that go on from the last frame of an earlier one: what is ordered, refused and made."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.quotas.queries import discrepancies
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.ids import new_id, shown
from generation.clips.commands import announce_removal, finish_removal
from generation.clips.models import Clip, Removal
from generation.engines.local.measuring import psnr
from generation.engines.protocol import EngineFailure, FailureCode
from generation.jobs.commands import cancel_job
from generation.jobs.conditions import WishedCondition
from generation.jobs.extensions import LONGEST_WHOLE_S
from generation.jobs.models import Job
from generation.jobs.orders import Quote, quote
from generation.jobs.queries import files_needed
from generation.media.decoding import frames_of, last_frame_of
from generation.placement.commands import announce_device
from generation.references.models import ReferenceStill
from generation.renditions.models import Rendition
from generation.replays.commands import replay_clip
from generation.worker.commands import lose_attempt
from generation.worker.extending import beginning_of
from stage.builders import _render, a_clip, a_job, a_model, a_reference, a_wish, claim_of
from stage.cast import Member

PICTURED = {"modes": ["text", "image", "first_last"], "most_conditions": 2}
GOES_ON = {"model": "pictured", "seconds": Fraction(1), "prompt": "the boat reaches the wall"}
JOBS, QUOTES = "/api/v1/jobs", "/api/v1/quotes"


@pytest.fixture(autouse=True)
def pictured(db: None) -> None:
    a_model("pictured", **PICTURED)


def name_of(clip: Clip) -> str:
    return shown("clip", clip.id)


def master_of(clip: Clip) -> Path:
    found = Rendition.objects.get(clip=clip, kind="master")
    return Path(settings.MEDIA_FOLDER) / found.storage_key


def quoted(member: Member, **wanted: object) -> Quote:
    wish = a_wish(**wanted)
    return quote(wish, programme_id=member.programme.id, party_id=member.party_id)


def refused(member: Member, **wanted: object) -> str:
    with pytest.raises(InvalidOrder) as refusal:
        quoted(member, **(GOES_ON | wanted))
    return refusal.value.code


def remove(clip: Clip) -> bool:
    return finish_removal(removal=announce_removal(clip=clip, why=Removal.Why.OWNER, due_at=now()))


# What is made


def test_the_whole_is_the_clip_that_was_there_and_then_what_is_new(tester):
    source = a_clip(tester)
    whole = a_clip(tester, extends=name_of(source), **GOES_ON)
    assert (source.frames, whole.job.frames, whole.frames) == (8, 8, 15)
    was, is_now = list(frames_of(master_of(source))), list(frames_of(master_of(whole)))
    assert len(is_now) == 15
    # Encoded once more: each like the frame it was, and less like any that comes later.
    for number, frame in enumerate(was):
        assert psnr(frame, is_now[number]) > 35
    assert psnr(was[7], is_now[14]) < 30
    # The next frame goes on from the last; the one that both show is there once.
    likeness = [psnr(was[7], is_now[number]) for number in (7, 8, 9, 10, 11)]
    assert likeness == sorted(likeness, reverse=True)
    files = {one.kind for one in Rendition.objects.filter(clip=whole)}
    assert files == {"master", "poster", "sprite", "index", "proxy"}
    assert whole.recipe["extends"] == {
        "clip": name_of(source),
        "master_sha256": source.master_sha256,
        "frames": 8,
        "whole_frames": 15,
    }


def test_a_whole_can_be_extended_again(tester):
    first = a_clip(tester)
    second = a_clip(tester, extends=name_of(first), **GOES_ON)
    third = a_clip(tester, extends=name_of(second), **GOES_ON)
    assert (third.frames, third.version) == (22, 3)
    assert len(list(frames_of(master_of(third)))) == 22


def test_the_last_frame_is_the_last_of_all_frames(tester):
    path = master_of(a_clip(tester))
    assert (last_frame_of(path) == list(frames_of(path))[-1]).all()


def test_only_what_is_new_is_priced_and_charged(tester):
    source = a_clip(tester, seconds=Fraction(4))
    asked = quoted(tester, extends=name_of(source), **GOES_ON)
    assert (asked.frames, asked.price_credits) == (8, 1)
    assert (asked.whole_frames, asked.whole_seconds) == (39, Fraction(39, 8))
    whole = a_clip(tester, extends=name_of(source), **GOES_ON)
    assert Job.objects.get(id=whole.job_id).reservation.settled == 1
    assert discrepancies() == []


def test_a_clip_is_named_by_its_job_too_and_its_thread_goes_on(tester):
    source = a_clip(tester)
    job = a_job(tester, extends=shown("job", source.job_id), **GOES_ON)
    assert (job.extends_id, job.frames_before) == (source.id, 8)
    assert job.thread_id == source.thread_id


def test_an_extension_may_end_with_a_picture_of_its_own(tester):
    source, reference = a_clip(tester), a_reference(tester)
    ReferenceStill.objects.create(
        reference=reference, frame=0, sha256="ef" * 32, bytes=1, width=8, height=8, storage_key="x"
    )
    last = WishedCondition(shown("reference", reference.id), "last")
    asked = quoted(tester, extends=name_of(source), conditions=(last,), **GOES_ON)
    assert [one.frame for one in asked.conditions] == [7]
    job = a_job(tester, extends=name_of(source), conditions=(last,), **GOES_ON)
    assert [file.media_type for file in files_needed(job.id)] == ["video/mp4", "image/png"]


# What is refused


def test_only_ones_own_finished_clip_of_this_programme_is_extended(tester, second_tester, stranger):
    theirs = a_clip(second_tester)
    assert refused(tester, extends=name_of(theirs)) == "extended_clip_unknown"
    assert refused(stranger, extends=name_of(theirs)) == "extended_clip_unknown"
    assert refused(tester, extends=shown("clip", new_id())) == "extended_clip_unknown"
    assert refused(tester, extends="no clip") == "extended_clip_unknown"
    for state in ("cancelled", "failed", "running"):
        job = a_job(tester, state=state)
        assert refused(tester, extends=shown("job", job.id)) == "extended_clip_unfinished"


def test_what_does_not_go_together_is_refused_with_what_would(tester):
    source = a_clip(tester)
    a_model("plain")
    a_model("quicker", rate_num=16, **PICTURED)
    mine = {"extends": name_of(source)}
    assert refused(tester, **mine, model="plain") == "extension_not_offered"
    assert refused(tester, **mine, model="quicker") == "extended_rate_differs"
    assert refused(tester, **mine, width=256, height=144) == "extended_size_differs"
    assert refused(tester, **mine, seconds=Fraction(1, 8)) == "extension_too_short"
    first = WishedCondition(shown("reference", a_reference(tester).id))
    assert refused(tester, **mine, conditions=(first,)) == "condition_frame_taken"


def test_a_whole_lasts_two_minutes_at_most(tester, monkeypatch):
    source = a_clip(tester)
    monkeypatch.setattr("generation.jobs.extensions.LONGEST_WHOLE_S", Fraction(15, 8))
    assert quoted(tester, extends=name_of(source), **GOES_ON).whole_frames == 15
    assert refused(tester, extends=name_of(source), seconds=Fraction(9, 8)) == "extension_too_long"
    assert LONGEST_WHOLE_S == 120


def test_what_was_removed_is_not_extended(tester):
    source = a_clip(tester)
    assert remove(source)
    assert refused(tester, extends=name_of(source)) == "extended_clip_removed"


# Files that must not go


def test_a_clip_that_is_extended_keeps_its_files_until_the_job_is_over(tester):
    source = a_clip(tester)
    job = a_job(tester, extends=name_of(source), **GOES_ON)
    assert not remove(source)
    removal = Removal.objects.get(clip=source)
    with pytest.raises(IntegrityError, match="extends this clip"), transaction.atomic():
        Removal.objects.filter(id=removal.id).update(done_at=now())
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    assert finish_removal(removal=removal)


def test_a_second_attempt_makes_the_same_whole(tester):
    """The worker is lost after its first attempt; nothing is doubled or paid twice."""
    source = a_clip(tester)
    job = a_job(tester, extends=name_of(source), **GOES_ON)
    announce_device(machine="elsewhere", name="cpu", lanes=[], slots=1, label="", memory_bytes=0)
    claim = claim_of(job)
    assert lose_attempt(claim, code="worker_died")
    Job.objects.filter(id=job.id).update(not_on=None)
    _render(claim_of(Job.objects.get(id=job.id)))
    whole = Clip.objects.get(job=job)
    assert (whole.frames, whole.job.attempts) == (15, 2)
    assert len(list(frames_of(master_of(whole)))) == 15
    assert discrepancies() == []


def test_a_file_that_is_gone_or_another_ends_the_job_with_a_code(tester):
    source = a_clip(tester)
    job = a_job(tester, extends=name_of(source), **GOES_ON)
    path = master_of(source)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    for _time in range(2):
        with pytest.raises(EngineFailure) as failure:
            beginning_of(job, Path(settings.MEDIA_FOLDER))
        assert failure.value.code == FailureCode.EXTENDED_MISSING
        assert not failure.value.may_pass
        path.unlink(missing_ok=True)


# Replays


def test_a_replay_gives_the_same_bytes_as_long_as_what_it_extends_is_there(tester):
    source = a_clip(tester)
    whole = a_clip(tester, extends=name_of(source), **GOES_ON)
    assert replay_clip(clip=whole).is_same_file
    assert remove(source)
    with pytest.raises(TooLate, match="clip that it extends"):
        replay_clip(clip=whole)


# Doors


def test_the_api_orders_prices_and_shows_an_extension(tester):
    source = a_clip(tester)
    order = {"model": "pictured", "size": "128x96", "seconds": 1, "extends": name_of(source)}
    price = tester.api.post(QUOTES, order).json()
    assert (price["price_credits"], price["frames"], price["total_frames"]) == (1, 8, 15)
    assert price["extends"] == name_of(source)
    made = tester.api.post(JOBS, {**order, "prompt": "it goes on"}).json()
    assert (made["extends"], made["total_frames"], made["total_seconds"]) == (
        name_of(source),
        15,
        1.875,
    )
    wrong = tester.api.post(JOBS, {**order, "prompt": "x", "size": "256x144"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "extended_size_differs")


def test_the_page_of_a_clip_leads_to_a_form_that_extends_it(tester):
    source = a_clip(tester)
    page = tester.client.get(f"/clips/{name_of(source)}").content.decode()
    address = f"/clips/new?extend={shown('job', source.job_id)}"
    assert f'href="{address}"' in page
    form = tester.client.get(address)
    assert form.context["form"]["model"].value() == "pictured"
    text = form.content.decode()
    assert "It begins with the last frame of" in text
    assert 'name="first_picture"' not in text
    sent = {
        name: form.context["form"][name].value() or "" for name in form.context["form"].fields
    } | {"seconds": "1", "styles": []}
    answer = tester.client.post("/clips/new", sent)
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.latest("queue_number")
    assert (job.extends_id, job.thread_id) == (source.id, source.thread_id)
    record = tester.client.get(answer["Location"]).content.decode()
    assert "to go on where an earlier one ends" in record
    assert "the last frame of a clip, 1.0 s + 0.9 s" in record


def test_the_page_of_a_whole_leads_its_owner_to_what_it_goes_on_from(tester):
    source = a_clip(tester)
    whole = a_clip(tester, extends=name_of(source), **GOES_ON)
    page = tester.client.get(f"/clips/{name_of(whole)}").content.decode()
    assert "It goes on from the last frame of a clip, 1.0 s + 0.9 s." in page
    assert f'href="/clips/{name_of(source)}"' in page
