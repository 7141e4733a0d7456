"""The rough picture of a running job: on its page and in the API, and nowhere afterwards."""

from __future__ import annotations

from core.ids import shown
from generation.jobs.folder import job_folder
from generation.jobs.rules import PREVIEW
from generation.worker.commands import fail_job
from stage.builders import a_claim, a_job

ALT = "A rough picture from the middle of the clip, as it looks so far."


def put_preview(job):
    job_folder(job.id).mkdir(parents=True)
    (job_folder(job.id) / PREVIEW).write_bytes(b"a picture")


def test_the_box_is_there_before_the_picture_so_that_nothing_jumps(tester):
    job = a_job(tester)
    page = tester.client.get(f"/jobs/{shown('job', job.id)}").text
    assert f'data-preview="/jobs/{shown("job", job.id)}/preview"' in page
    assert "<img src=" not in page.partition('<figure class="preview"')[2].partition("</figure>")[0]


def test_a_running_job_shows_its_picture_with_words_for_it(tester):
    claim = a_claim(tester)
    put_preview(claim.job)
    address = f"/jobs/{shown('job', claim.job.id)}"
    assert f'<img src="{address}/preview" alt="{ALT}">' in tester.client.get(address).text
    assert tester.client.get(f"/api/v1{address}").json()["preview"] == f"{address}/preview"
    # Only on its own page: in lists it would be in the way.
    piece = tester.client.get(address, HTTP_HX_REQUEST="true").text
    assert "preview" not in piece


def test_without_a_picture_yet_there_is_no_address_for_one(tester):
    claim = a_claim(tester)
    address = f"/jobs/{shown('job', claim.job.id)}"
    assert tester.client.get(f"/api/v1{address}").json()["preview"] is None


def test_a_job_that_is_over_shows_none(tester):
    claim = a_claim(tester)
    put_preview(claim.job)
    fail_job(claim, code="black_clip", may_pass=False, device_ms=1)
    address = f"/jobs/{shown('job', claim.job.id)}"
    assert "data-preview" not in tester.client.get(address).text
    assert tester.client.get(f"/api/v1{address}").json()["preview"] is None
