"""How a running job looks so far: for its owner alone, and gone when it is over."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from core.ids import new_id, shown
from generation.jobs.rules import preview_key


@pytest.fixture
def owner():
    return new_id()


@pytest.fixture
def bearer(rows, owner):
    return {"Authorization": f"Bearer {rows.add_token(owner)}"}


@pytest.fixture
def picture():
    kept = io.BytesIO()
    Image.new("RGB", (12, 8), "teal").save(kept, "WEBP")
    return kept.getvalue()


@pytest.fixture
def job(rows, house, owner, picture):
    made = rows.add_job(owner, state="running")
    path = house.media_folder / preview_key(made.job_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(picture)
    return made


def address(job_id):
    return f"/jobs/{shown('job', job_id)}/preview"


def test_its_owner_sees_it_by_token_and_by_session(served, rows, job, owner, bearer, picture):
    answer = served.ask(address(job.job_id), **bearer)
    assert (answer.status, answer.content) == (200, picture)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, no-cache"
    cookie = f"greenroom_session={rows.add_session(owner)}"
    assert served.ask(address(job.job_id), Cookie=cookie).content == picture


def test_nobody_else_does_and_cannot_tell_that_it_is_there(served, rows, job, bearer):
    other = {"Authorization": f"Bearer {rows.add_token()}"}
    answers = [
        served.ask(where, **other)
        for where in (address(job.job_id), address(new_id()), "/jobs/x/preview")
    ]
    assert {(one.status, one.content) for one in answers} == {(404, answers[0].content)}
    assert served.ask(address(job.job_id)).status == 401
    bare = {"Authorization": f"Bearer {rows.add_token(job.party_id, ('exports:read',))}"}
    assert served.ask(address(job.job_id), **bare).status == 403


def test_it_is_gone_when_the_job_is_over_or_not_begun(served, rows, house, job, bearer):
    rows.jobs[job.job_id] = replace(job, state="finished")
    assert served.ask(address(job.job_id), **bearer).status == 404
    rows.jobs[job.job_id] = job
    (house.media_folder / preview_key(job.job_id)).unlink()
    assert served.ask(address(job.job_id), **bearer).status == 404


def test_whoever_has_it_gets_no_byte_and_a_head_none(served, job, bearer, picture):
    etag = served.ask(address(job.job_id), **bearer).headers["etag"]
    again = served.ask(address(job.job_id), **bearer, **{"If-None-Match": etag})
    assert (again.status, again.content) == (304, b"")
    head = served.ask(address(job.job_id), method="HEAD", **bearer)
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(picture))


def test_it_can_only_be_read(served, job, bearer):
    assert served.ask(address(job.job_id), method="POST", **bearer).status == 405
