"""Whoever asks again and again is answered by one statement, and hears what everybody hears."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import shown
from generation.jobs.following import followed
from generation.jobs.models import Job
from generation.jobs.rules import State
from stage.builders import a_job
from stage.cast import Member

pytestmark = pytest.mark.django_db

STATES = [state.value for state in State if state is not State.RUNNING]


def listed(member: Member, job: Job) -> dict:
    items = member.api.get("/api/v1/jobs").json()["items"]
    return next(each for each in items if each["id"] == shown("job", job.id))


def read(member: Member, job: Job) -> dict:
    return member.api.get(f"/api/v1/jobs/{shown('job', job.id)}").json()


@pytest.mark.parametrize("state", STATES)
def test_it_says_what_the_list_says(tester: Member, state: str) -> None:
    job = a_job(tester, state=state)
    assert read(tester, job) == listed(tester, job)


@pytest.mark.parametrize("state", ["queued", "finished"])
def test_one_statement_answers_who_asks_again(tester: Member, state: str) -> None:
    job = a_job(tester, state=state)
    read(tester, job)
    with CaptureQueriesContext(connection) as captured:
        assert read(tester, job)["state"] == state
    assert len(captured) == 2, "whose token it is, and the job"


def test_every_field_is_there_without_asking_again(tester: Member) -> None:
    job = a_job(tester)
    found = followed(tester.actor, shown("job", job.id)).job
    with CaptureQueriesContext(connection) as captured:
        assert found == job
        for field in Job._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(job, field.attname), field.name
        assert found.model.slug == "still"
    assert len(captured) == 0


def test_nobody_follows_what_is_not_theirs(tester: Member, stranger: Member) -> None:
    job = a_job(tester)
    absent = stranger.api.get(f"/api/v1/jobs/job_{'0' * 26}")
    theirs = stranger.api.get(f"/api/v1/jobs/{shown('job', job.id)}")
    assert (absent.status_code, theirs.status_code) == (404, 404)
    assert {**absent.json(), "request_id": ""} == {**theirs.json(), "request_id": ""}
