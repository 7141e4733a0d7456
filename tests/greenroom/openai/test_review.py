"""What a video at /v1 says of its review, its credits and its files."""

from __future__ import annotations

import pytest

from core.ids import shown
from greenroom.openai.ids import VIDEO, id_here
from review.credits.rules import DisplayForm
from review.releases.commands import release_clip
from review.submissions.commands import withdraw_submission
from stage.review import (
    REASON,
    a_decision,
    a_submission,
    an_approved_clip,
    open_review,
)

VIDEOS = "/v1/videos"


@pytest.fixture(autouse=True)
def _review(programme):
    open_review(programme)


def video_of(member, clip):
    return member.api.get(f"{VIDEOS}/{id_here(VIDEO, clip.job_id)}").json()


def test_a_video_that_was_put_forward_is_completed_and_pending(tester):
    submission = a_submission(tester)
    video = video_of(tester, submission.clip)
    case = submission.cases.get()
    assert (video["status"], video["progress"]) == ("completed", 100)
    assert video["review"] == {
        "state": "pending",
        "case": shown("case", case.id),
        "reason": None,
        "appeal_url": None,
    }


def test_one_that_was_declined_says_why_and_where_to_appeal(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    review = video_of(tester, submission.clip)["review"]
    assert (review["state"], review["reason"]) == ("rejected", REASON)
    page = f"/submissions/{shown('submission', submission.id)}"
    assert review["appeal_url"].endswith(page)
    assert tester.client.get(page).status_code == 200


def test_one_that_was_sent_back_says_so(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "changes_requested")
    review = video_of(tester, submission.clip)["review"]
    assert (review["state"], review["appeal_url"]) == ("changes_requested", None)


def test_one_that_was_taken_back_says_so(tester):
    submission = a_submission(tester)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    assert video_of(tester, submission.clip)["review"]["state"] == "withdrawn"


def test_approved_and_released_are_told_apart_and_name_who_is_credited(tester, reviewer, clock):
    clip = an_approved_clip(tester, reviewer, clock)
    video = video_of(tester, clip)
    assert video["review"]["state"] == "approved"
    assert [line["role"] for line in video["credit_lines"]] == ["maker"]
    assert video["credit_lines"][0]["name"] == ""
    release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat")
    line = clip.credit_lines.get()
    type(line).objects.filter(id=line.id).update(display_form=DisplayForm.NAME)
    video = video_of(tester, clip)
    assert video["review"]["state"] == "released"
    assert video["credit_lines"][0]["name"] == tester.person.detail.display_name
    (listed,) = tester.api.get(VIDEOS).json()["data"]
    assert listed == video


def test_a_video_whose_files_are_to_go_says_when(tester, clock):
    submission = a_submission(tester)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    clip = submission.clip
    assert video_of(tester, clip)["expires_at"] is None
    answer = tester.api.post(f"/api/v1/clips/{shown('clip', clip.id)}/remove")
    assert answer.status_code == 200
    assert video_of(tester, clip)["expires_at"] == int(clip.removals.get().due_at.timestamp())
