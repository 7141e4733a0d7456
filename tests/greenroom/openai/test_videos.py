"""Videos at the door /v1: created, followed, listed, deleted, remixed, extended."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import read_id, shown
from generation.jobs.models import Job
from generation.jobs.rules import State
from greenroom.openai import shapes
from greenroom.openai.ids import VIDEO, id_here, uuid_of
from stage.builders import a_clip, a_job

VIDEOS = "/v1/videos"
ORDER = {"prompt": "a paper boat", "model": "still", "size": "128x96", "seconds": "2"}
FOUR = {"queued", "in_progress", "completed", "failed"}


def made(api, **asked):
    answer = api.post(VIDEOS, ORDER | asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


def job_of(video):
    return Job.objects.get(id=uuid_of(VIDEO, video["id"]))


def test_an_order_is_answered_with_a_video_that_has_all_its_keys(tester):
    video = made(tester.api, extensions={"seed": 7})
    assert set(video) == set(shapes.Video().fields)
    expected = {
        "object": "video",
        "status": "queued",
        "progress": 0,
        "completed_at": None,
        "expires_at": None,
        "model": "still",
        "prompt": "a paper boat",
        "seconds": "2",
        "size": "128x96",
        "remixed_from_video_id": None,
        "error": None,
        "clip": None,
        "review": None,
        "price_credits": 2,
        "charged_credits": None,
        "credit_lines": [],
    }
    assert {name: video[name] for name in expected} == expected
    assert video["recipe"]["seed"] == 7
    assert video["queue"]["place"] == 1
    assert uuid_of(VIDEO, video["id"]) == read_id("job", video["job"])
    assert tester.api.get(f"{VIDEOS}/{video['id']}").json() == video


def test_a_form_makes_the_same_video_as_json(tester):
    answer = tester.api.post(VIDEOS, ORDER | {"seed": "7"}, format="multipart")
    assert answer.status_code == 200, answer.content
    ours = {"id", "job", "thread", "queue", "created_at"}
    form = {name: value for name, value in answer.json().items() if name not in ours}
    other = made(tester.api, seed=7)
    assert form == {name: value for name, value in other.items() if name not in ours}


def test_what_is_left_out_is_as_usual(tester):
    video = tester.api.post(VIDEOS, {"prompt": "a paper boat"}).json()
    assert (video["model"], video["size"], video["seconds"]) == ("still", "256x144", "4")


def test_a_list_goes_on_after_the_last_one_while_others_arrive(tester):
    old = [made(tester.api, prompt=f"boat {number}")["id"] for number in range(5)]
    first = tester.api.get(VIDEOS, {"limit": 2}).json()
    assert [one["id"] for one in first["data"]] == old[:-3:-1]
    assert (first["object"], first["has_more"]) == ("list", True)
    assert (first["first_id"], first["last_id"]) == (old[4], old[3])
    made(tester.api)
    rest = tester.api.get(VIDEOS, {"after": first["last_id"]}).json()
    assert [one["id"] for one in rest["data"]] == old[2::-1]
    assert rest["has_more"] is False
    upwards = tester.api.get(VIDEOS, {"order": "asc", "limit": 2}).json()
    assert [one["id"] for one in upwards["data"]] == old[:2]


def test_whoever_deletes_what_they_list_comes_to_the_end(tester, stranger):
    ids = [made(tester.api, prompt=f"boat {number}")["id"] for number in range(3)]
    after = {}
    for newest in reversed(ids):
        listed = tester.api.get(VIDEOS, {"limit": 1, **after}).json()["data"]
        assert [one["id"] for one in listed] == [newest]
        assert tester.api.delete(f"{VIDEOS}/{newest}").status_code == 200
        after = {"after": newest}
    theirs = stranger.api.get(VIDEOS, after)
    assert (theirs.status_code, theirs.json()["error"]["code"]) == (400, "cursor_invalid")


def test_an_empty_list_has_no_ids(tester):
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert tester.api.get(VIDEOS).json() == empty


def test_a_page_asks_the_same_number_of_questions_however_long(tester):
    a_clip(tester)
    tester.api.get(VIDEOS)
    with CaptureQueriesContext(connection) as one:
        tester.api.get(VIDEOS)
    for _each in range(2):
        a_clip(tester)
        a_job(tester, state="cancelled")
    with CaptureQueriesContext(connection) as many:
        assert len(tester.api.get(VIDEOS).json()["data"]) == 5
    assert len(many) == len(one)


STATUSES = [
    ("queued", "queued", 0, None),
    ("held", "queued", 0, None),
    ("finished", "completed", 100, None),
    ("failed", "failed", 0, "engine_error"),
    ("cancelled", "failed", 0, "cancelled"),
]


@pytest.mark.parametrize(("state", "status", "progress", "code"), STATUSES)
def test_every_state_is_one_of_the_four(state, status, progress, code, tester):
    job = a_job(tester, state=state)
    answer = tester.api.get(f"{VIDEOS}/{id_here(VIDEO, job.id)}")
    assert answer.status_code == 200
    video = answer.json()
    assert (video["status"], video["progress"]) == (status, progress)
    assert video["status"] in FOUR
    assert (video["error"] or {"code": None})["code"] == code
    assert ("openai-poll-after-ms" in answer) is (state in ("queued", "held"))


def test_a_video_that_waits_says_when_to_ask_again(tester):
    answer = tester.api.post(VIDEOS, ORDER)
    assert answer["openai-poll-after-ms"] == "1000"


def test_a_finished_video_says_that_it_was_not_put_forward(tester):
    clip = a_clip(tester)
    video = tester.api.get(f"{VIDEOS}/{id_here(VIDEO, clip.job_id)}").json()
    assert video["clip"] == shown("clip", clip.id)
    assert video["review"]["state"] == "not_submitted"
    assert video["charged_credits"] == video["price_credits"]
    assert video["completed_at"] >= video["created_at"]


# Deleting ------------------------------------------------------------------------------------


def test_a_live_video_that_is_deleted_is_cancelled_and_absent(tester):
    video = made(tester.api)
    answer = tester.api.delete(f"{VIDEOS}/{video['id']}")
    assert answer.json() == {"id": video["id"], "object": "video.deleted", "deleted": True}
    assert job_of(video).state == State.CANCELLED
    assert tester.api.get(f"{VIDEOS}/{video['id']}").status_code == 404
    assert tester.api.delete(f"{VIDEOS}/{video['id']}").status_code == 404
    assert tester.api.get(VIDEOS).json()["data"] == []
    assert tester.api.get(f"/api/v1/jobs/{video['job']}").status_code == 200


def test_the_files_of_a_finished_video_that_is_deleted_are_announced_to_go(tester):
    clip = a_clip(tester)
    assert tester.api.delete(f"{VIDEOS}/{id_here(VIDEO, clip.job_id)}").status_code == 200
    removal = clip.removals.get()
    assert (removal.why, removal.done_at) == ("owner", None)


# Remixes -------------------------------------------------------------------------------------


def test_a_remix_has_other_words_and_the_same_recipe(tester):
    video = made(tester.api, seed=11, tier="turbo")
    answer = tester.api.post(f"{VIDEOS}/{video['id']}/remix", {"prompt": "a tin boat"})
    assert answer.status_code == 200, answer.content
    remix = answer.json()
    assert (remix["prompt"], remix["remixed_from_video_id"]) == ("a tin boat", video["id"])
    same = ("model", "size", "seconds", "recipe", "thread", "price_credits")
    assert {name: remix[name] for name in same} == {name: video[name] for name in same}
    assert remix["id"] != video["id"]
    native = tester.api.get(f"/api/v1/jobs/{remix['job']}").json()
    assert native["remix_of"] == video["job"]


def test_nobody_remixes_what_is_not_theirs(tester, second_tester, stranger):
    video = made(tester.api)
    for other in (second_tester, stranger):
        answer = other.api.post(f"{VIDEOS}/{video['id']}/remix", {"prompt": "mine now"})
        assert answer.status_code == 404
    job = Job.objects.get()
    answer = second_tester.api.post(
        "/api/v1/jobs",
        {**ORDER, "seconds": 2, "remix_of": shown("job", job.id)},
    )
    assert answer.json()["code"] == "remixed_job_unknown"


def test_extras_stand_in_one_field_of_a_form(tester):
    extensions = json.dumps({"seed": 5, "tier": "turbo"})
    answer = tester.api.post(VIDEOS, ORDER | {"extensions": extensions}, format="multipart")
    recipe = answer.json()["recipe"]
    assert (recipe["seed"], recipe["tier"]) == (5, "turbo")
