"""The content of a video at /v1, past Django: for its owner's token alone, as the policy says."""

from __future__ import annotations

import json

import pytest

from core.ids import new_id, read_id
from greenroom.openai.ids import FILE, VIDEO, id_here
from greenroom.router.videos import Content

CLIP = bytes(range(256)) * 16
POSTER = b"RIFF" + bytes(60)


@pytest.fixture
def owner():
    return new_id()


@pytest.fixture
def bearer(rows, owner):
    return {"Authorization": f"Bearer {rows.add_token(owner)}"}


@pytest.fixture
def video(rows, house, owner):
    """A finished one with a clip and a poster."""
    made = new_id()
    for variant, content in (("video", CLIP), ("thumbnail", POSTER)):
        opening = _file(rows, house, owner, content)
        rows.videos[made, variant] = (owner, Content("finished", "", "", "", opening))
    return made


def _file(rows, house, owner, content):
    shown_id = rows.add_file(house.media_folder, owner, content)
    return rows.renditions.pop(read_id("rendition", shown_id))[1]


def address(video, variant=None):
    return f"/v1/videos/{id_here(VIDEO, video)}/content" + (
        f"?variant={variant}" if variant else ""
    )


def error_of(answer):
    return json.loads(answer.content)["error"]


def test_its_owner_gets_each_variant_and_the_clip_without_a_word(served, video, bearer):
    assert served.ask(address(video), **bearer).content == CLIP
    assert served.ask(address(video, "video"), **bearer).content == CLIP
    answer = served.ask(address(video, "thumbnail"), **bearer)
    assert (answer.status, answer.content) == (200, POSTER)
    assert len(answer.headers["x-request-id"]) == 32


def test_a_part_of_it_is_sent_and_what_is_there_already_is_not(served, video, bearer):
    part = served.ask(address(video), Range="bytes=10-19", **bearer)
    assert (part.status, part.content) == (206, CLIP[10:20])
    etag = {"If-None-Match": part.headers["etag"]}
    assert served.ask(address(video), **etag, **bearer).status == 304
    assert served.ask(address(video), Range="bytes=99999-", **bearer).status == 416


def test_a_head_says_how_long_it_is(served, video, bearer):
    answer = served.ask(address(video), method="HEAD", **bearer)
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CLIP))


def test_an_unknown_variant_is_named(served, video, bearer):
    answer = served.ask(address(video, "hologram"), **bearer)
    error = error_of(answer)
    assert (answer.status, error["code"], error["param"]) == (400, "variant_unknown", "variant")
    assert error["type"] == "invalid_request_error"


NOTHING = [
    (Content("queued", "", "", "", None), 404, "video_not_ready"),
    (Content("held", "", "", "", None), 404, "video_not_ready"),
    (Content("running", "", "", "", None), 404, "video_not_ready"),
    (Content("failed", "out_of_memory", "", "", None), 404, "out_of_memory"),
    (Content("cancelled", "", "", "", None), 404, "cancelled"),
    (Content("finished", "", "", "", None), 404, "content_removed"),
    (Content("finished", "", "content_pending_review", "", None), 403, "content_pending_review"),
    (Content("finished", "", "content_rejected", "A logo.", None), 403, "content_rejected"),
]


@pytest.mark.parametrize(("content", "status", "code"), NOTHING)
def test_a_video_without_a_file_says_why(content, status, code, served, rows, owner, bearer):
    made = new_id()
    rows.videos[made, "video"] = (owner, content)
    answer = served.ask(address(made), **bearer)
    error = error_of(answer)
    assert (answer.status, error["code"]) == (status, code)
    assert error["message"] == (content.reason or error["message"]) != ""
    assert answer.headers["content-type"] == "application/json"


def test_nobody_else_gets_it_and_cannot_tell_that_it_is_there(served, rows, video, owner):
    other = {"Authorization": f"Bearer {rows.add_token()}"}
    places = (address(video), address(new_id()), "/v1/videos/x/content", "/v1/files/x/content")
    answers = [served.ask(where, **other) for where in places]
    assert {(one.status, one.content) for one in answers} == {(404, answers[0].content)}
    nobody = served.ask(address(video))
    assert (nobody.status, error_of(nobody)["type"]) == (401, "authentication_error")
    bare = {"Authorization": f"Bearer {rows.add_token(owner, ('exports:read',))}"}
    refused = served.ask(address(video), **bare)
    assert (refused.status, error_of(refused)["code"]) == (403, "wrong_scope")


def test_a_cookie_opens_nothing_at_this_door(served, rows, video, owner):
    cookie = f"greenroom_session={rows.add_session(owner)}"
    assert served.ask(address(video), Cookie=cookie).status == 401


def test_a_file_is_shown_under_the_id_that_it_has_here(served, rows, house, owner, bearer):
    made = new_id()
    rows.references[made] = (owner, _file(rows, house, owner, POSTER))
    answer = served.ask(f"/v1/files/{id_here(FILE, made)}/content", **bearer)
    assert (answer.status, answer.content) == (200, POSTER)


def test_it_is_only_read(served, video, bearer):
    answer = served.ask(address(video), method="POST", **bearer)
    assert (answer.status, error_of(answer)["code"]) == (405, "method_not_allowed")


# What never reaches a view ---------------------------------------------------------------------


def test_another_host_is_refused_in_the_form_of_this_door(served):
    answer = served.ask("/v1/videos", Host="elsewhere.example")
    assert (answer.status, error_of(answer)["code"]) == (400, "bad_host")
    native = served.ask("/api/v1/jobs", Host="elsewhere.example")
    assert json.loads(native.content)["code"] == "bad_host"


def test_a_database_that_is_away_is_a_server_error_here(served, rows, video, bearer):
    rows.away = True
    answer = served.ask(address(video), **bearer)
    error = error_of(answer)
    assert (answer.status, error["code"], error["type"]) == (503, "not_ready", "server_error")
    assert answer.headers["retry-after"] == "1"


def test_a_giant_is_refused_in_the_form_of_this_door(served, house):
    answer = served.ask("/v1/videos", method="POST", **{"Content-Length": "999999999"})
    assert (answer.status, error_of(answer)["code"]) == (413, "body_too_large")
