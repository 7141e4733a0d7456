"""Clips over the native API: their files, their recipe, and who has looked."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection

from core.ids import new_id, read_id, shown
from generation.clips.commands import say_why
from generation.clips.models import Viewing
from generation.clips.rules import VIEWING_LASTS
from stage.builders import a_clip

CLIPS = "/api/v1/clips"


def address(clip):
    return f"{CLIPS}/{shown('clip', clip.id)}"


def opened(clip, viewer):
    """As the router records it when a file goes out."""
    with connection.cursor() as cursor:
        for rendition in clip.renditions.all():
            cursor.execute(
                "SELECT record_opening(%s, %s, %s)",
                [rendition.id, viewer.party_id, viewer.actor.credential_id],
            )


def test_a_clip_is_shown_with_its_files_and_recipe(tester):
    clip = a_clip(tester)
    body = tester.api.get(address(clip)).json()
    expected = {
        "id": shown("clip", clip.id),
        "url": address(clip),
        "job": shown("job", clip.job_id),
        "thread": shown("thread", clip.thread_id),
        "version": 1,
        "prompt": clip.prompt,
        "model": "still",
        "revision": "1",
        "tier": "standard",
        "seed": 7,
        "size": "128x96",
        "frames": 8,
        "frame_rate": "8/1",
        "seconds": 1.0,
        "bytes": clip.bytes,
        "master_sha256": clip.master_sha256,
        "recipe": clip.recipe,
        "seen_by": [],
    }
    assert {name: body[name] for name in expected} == expected
    kinds = ["index", "master", "poster", "proxy", "sprite"]
    assert [file["kind"] for file in body["renditions"]] == kinds
    master = body["renditions"][1]
    assert (master["sha256"], master["media_type"]) == (clip.master_sha256, "video/mp4")
    for file in body["renditions"]:
        assert file["url"] == f"/media/{file['id']}"
        assert read_id("rendition", file["id"])


def test_a_job_leads_to_its_clip(tester):
    clip = a_clip(tester)
    job = tester.api.get(f"/api/v1/jobs/{shown('job', clip.job_id)}").json()
    assert job["clip"] == shown("clip", clip.id)


def test_a_list_shows_ones_own_clips_newest_first_page_by_page(tester, second_tester, clock):
    clock.stop()
    mine = [shown("clip", a_clip(tester).id) for _ in range(2)]
    clock.advance(seconds=1)
    mine.append(shown("clip", a_clip(tester).id))
    a_clip(second_tester)
    seen, cursor = [], None
    while True:
        page = tester.api.get(CLIPS, {"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        seen += [clip["id"] for clip in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert sorted(seen) == sorted(mine)
    assert seen[0] == mine[2]
    assert set(page["items"][0]) & {"recipe", "seen_by"} == set()


@pytest.mark.parametrize("role", ["reviewer", "manager", "auditor"])
def test_staff_see_a_clip_once_they_have_said_why_and_the_owner_sees_that(
    role, request, tester, clock
):
    staff = request.getfixturevalue(role)
    clip = a_clip(tester)
    absent = staff.api.get(f"{CLIPS}/{shown('clip', new_id())}")
    before = staff.api.get(address(clip))
    assert (before.status_code, before.content) == (404, absent.content)

    say_why(actor=staff.actor, shown_id=shown("clip", clip.id), why="audit")
    body = staff.api.get(address(clip)).json()
    assert body["id"] == shown("clip", clip.id)
    assert body["seen_by"] is None
    assert staff.api.get(CLIPS).json()["items"] == []

    opened(clip, staff)
    (look,) = tester.api.get(address(clip)).json()["seen_by"]
    assert (look["role"], look["why"]) == (role, "audit")

    clock.advance(minutes=31)
    assert staff.api.get(address(clip)).status_code == 404
    assert len(tester.api.get(address(clip)).json()["seen_by"]) == 1


@pytest.mark.parametrize("outsider", ["second_tester", "stranger", "finance"])
def test_nobody_else_sees_a_clip(outsider, request, tester):
    other = request.getfixturevalue(outsider)
    clip = a_clip(tester)
    absent = other.api.get(f"{CLIPS}/{shown('clip', new_id())}")
    answer = other.api.get(address(clip))
    assert (answer.status_code, answer.content) == (404, absent.content)


# Saying why ----------------------------------------------------------------------------------


def say(member, clip, why="question"):
    return member.api.post(f"{address(clip)}/viewings", {"why": why})


@pytest.mark.parametrize("role", ["reviewer", "manager", "auditor"])
def test_staff_open_a_clip_by_saying_why(role, request, tester, clock):
    staff = request.getfixturevalue(role)
    clip = a_clip(tester)
    moment = clock.stop()
    answer = say(staff, clip)
    body = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, address(clip))
    assert (body["role"], body["why"]) == (role, "question")
    assert datetime.fromisoformat(body["until"]) == moment + VIEWING_LASTS
    assert staff.api.get(body["url"]).status_code == 200


@pytest.mark.parametrize("outsider", ["tester", "second_tester", "stranger", "finance"])
def test_whoever_may_not_look_finds_nothing_there(outsider, request, tester):
    other = request.getfixturevalue(outsider)
    clip = a_clip(tester)
    answer = say(other, clip)
    absent = other.api.post(f"{CLIPS}/{shown('clip', new_id())}/viewings", {"why": "question"})
    assert (answer.status_code, answer.content) == (404, absent.content)
    assert not Viewing.objects.exists()


@pytest.mark.parametrize("why", ["other", "", None, 7])
def test_a_reason_off_the_list_opens_nothing(why, tester, reviewer):
    assert say(reviewer, a_clip(tester), why).status_code == 422
    assert not Viewing.objects.exists()
