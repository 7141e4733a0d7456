"""What a worker writes, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from core.ids import shown
from generation.clips.models import Clip
from generation.jobs.commands import cancel_job, resume_job
from generation.jobs.models import Attempt, Job
from generation.jobs.rules import State
from generation.worker import rendering
from generation.worker.commands import fail_job, hold_running_job, renew_lease
from generation.worker.rules import Verdict
from stage.builders import a_claim, a_job, claim_of
from stage.cast import Member


def test_a_job_that_was_held_in_mid_clip_is_claimed_again_after_its_owners_word(
    tester: Member,
) -> None:
    claim = a_claim(tester)
    hold_running_job(claim, device_ms=1)
    resume_job(actor=tester.actor, shown_id=shown("job", claim.job.id))

    again = claim_of(claim.job)

    assert again.job.attempts == 1, "being held is no failed attempt"
    numbers = Attempt.objects.filter(job=claim.job).order_by("number")
    assert list(numbers.values_list("number", "outcome")) == [(1, "held"), (2, "")]


def test_a_renewal_hears_that_the_owner_wants_to_stop(tester: Member) -> None:
    claim = a_claim(tester)
    assert renew_lease(claim, stage="denoise", steps_done=1) is Verdict.GOES_ON

    cancel_job(actor=tester.actor, shown_id=shown("job", claim.job.id))

    assert renew_lease(claim, stage="denoise", steps_done=2) is Verdict.CANCEL


def test_a_worker_whose_job_was_taken_hears_that_it_is_lost(tester: Member) -> None:
    claim = a_claim(tester)
    fail_job(claim, code="engine_error", may_pass=True, device_ms=1)
    claim_of(claim.job)

    assert renew_lease(claim, stage="denoise", steps_done=1) is Verdict.LOST
    assert not fail_job(claim, code="engine_error", may_pass=False, device_ms=1)
    assert Job.objects.get(id=claim.job.id).state == State.RUNNING


def test_files_stay_when_the_end_could_not_be_written(
    tester: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The answer to the commit may have been lost on the way: then a clip names these files.
    def lost_on_the_way(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(rendering, "WRITE_TRIES", 0)
    monkeypatch.setattr(rendering, "finish_job", lost_on_the_way)
    with pytest.raises(OperationalError):
        a_job(tester, state="finished")

    attempt = Attempt.objects.get()
    folder = rendering.settings.MEDIA_FOLDER
    assert str(attempt.id) in {path.name for path in folder.glob("*/*/*")}
    assert not Clip.objects.exists()
