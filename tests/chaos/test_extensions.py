"""Clips that go on from an earlier one, by workers that are killed and by workers elsewhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chaos.conftest import Crew, wait_until
from chaos.test_elsewhere import (
    Elsewhere,
    assert_the_web_has_it_whole,
    elsewhere,  # noqa: F401  (a fixture)
    is_finished,
    job_now,
)
from chaos.test_workers import assert_everything_adds_up

from core.ids import shown
from generation.catalogue.models import PriceRow
from generation.clips.models import Clip
from generation.engines.local.measuring import psnr
from generation.jobs.models import Attempt, Job
from generation.jobs.queries import extended_file_of
from generation.media.decoding import frames_of
from generation.worker.watchdog import watch_leases
from stage.builders import a_job, a_model, a_price
from stage.cast import Member

pytestmark = [pytest.mark.slow, pytest.mark.race, pytest.mark.django_db(transaction=True)]

WIDE = {"width": 1280, "height": 720, "seconds": Fraction(5)}  # 40 frames: time to be killed in


def a_pictured_model() -> None:
    model = a_model(modes=["text", "image"], most_conditions=1)
    PriceRow.objects.bulk_create([a_price(model, "standard", 1280, 720, credits_per_second=4)])


def assert_it_goes_on(media: Path, job: Job, *, frames: int) -> None:
    """The source's frames first, each like itself, and the count exact."""
    whole = Clip.objects.get(job=job)
    key, sha256 = extended_file_of(job)
    assert whole.recipe["extends"]["master_sha256"] == sha256
    was = list(frames_of(media / key))
    is_now = list(frames_of(media / whole.renditions.get(kind="master").storage_key))
    assert (len(is_now), whole.frames) == (frames, frames)
    assert min(psnr(one, other) for one, other in zip(was, is_now, strict=False)) > 35


def test_a_worker_elsewhere_fetches_the_clip_and_sends_the_whole(
    elsewhere: Elsewhere,  # noqa: F811
    tester: Member,
    as_owner: psycopg.Connection[Any],
) -> None:
    a_pictured_model()
    elsewhere.hire()
    source = a_job(tester)
    wait_until(lambda: is_finished(source))
    wait_until(lambda: not elsewhere.carried)
    job = a_job(tester, extends=shown("job", source.id), prompt="it goes on")
    wait_until(lambda: is_finished(job))
    assert_the_web_has_it_whole(elsewhere, job)
    assert_it_goes_on(elsewhere.web.media, job, frames=15)
    wait_until(lambda: not elsewhere.carried)
    assert [path for path in elsewhere.crew.media.rglob("*") if path.is_file()] == []
    assert_everything_adds_up(as_owner, jobs=2)


def test_a_worker_killed_in_mid_clip_is_followed_by_one_that_makes_the_whole(
    crew: Crew, media: Path, tester: Member, as_owner: psycopg.Connection[Any]
) -> None:
    a_pictured_model()
    worker = crew.hire(lease_s=2)
    source = a_job(tester, **WIDE)
    wait_until(lambda: is_finished(source))
    job = a_job(tester, extends=shown("job", source.id), prompt="it goes on", **WIDE)
    wait_until(lambda: crew.is_drawing(job))
    crew.kill(worker)
    crew.hire(lease_s=2)
    wait_until(lambda: is_finished(job), doing=watch_leases)
    outcomes = Attempt.objects.filter(job=job).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["lost", "finished"]
    assert job_now(job).attempts == 2
    assert_it_goes_on(media, job, frames=79)
    assert_everything_adds_up(as_owner, jobs=2)
