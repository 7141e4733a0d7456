"""A poll is answered by one statement, and says what the list says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import shown
from generation.clips.models import Clip
from generation.jobs.models import Job
from stage.builders import a_job
from stage.cast import Member
from stage.review import a_decision, a_submission, open_review

pytestmark = pytest.mark.django_db


def listed(member: Member) -> Any:
    (video,) = member.api.get("/v1/videos").json()["data"]
    return video


def polled(member: Member, job: Job) -> Any:
    name = shown("job", job.id).partition("_")[2]
    answer = member.api.get(f"/v1/videos/video_{name}")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("state", ["queued", "held", "finished", "failed", "cancelled"])
def test_a_poll_says_what_the_list_says(tester: Member, state: str) -> None:
    job = a_job(tester, state=state)
    assert polled(tester, job) == listed(tester)


@pytest.mark.parametrize("state", ["queued", "finished", "failed"])
def test_one_statement_answers_a_poll(tester: Member, state: str) -> None:
    job = a_job(tester, state=state)
    polled(tester, job)
    with CaptureQueriesContext(connection) as captured:
        polled(tester, job)
    assert len(captured) == 2, "whose token it is, and the video"


def test_what_was_decided_is_there_too(tester: Member, reviewer: Member, clock: Any) -> None:
    open_review(tester.programme)
    submission = a_submission(tester)
    assert polled(tester, submission.clip.job)["review"]["state"] == "pending"
    a_decision(reviewer, clock, "declined")
    found = polled(tester, submission.clip.job)
    assert found == listed(tester)
    assert found["review"]["state"] == "rejected"


def test_files_that_go_are_there_too(tester: Member) -> None:
    job = a_job(tester, state="finished")
    clip = shown("clip", Clip.objects.get(job=job).id)
    assert tester.api.post(f"/api/v1/clips/{clip}/remove").status_code == 200
    found = polled(tester, job)
    assert found == listed(tester)
    assert found["expires_at"] is not None
