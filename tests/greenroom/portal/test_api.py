"""A clip's record over the native API."""

from __future__ import annotations

import pytest

from core.ids import new_id, shown
from stage.builders import a_clip
from stage.cast import api_of


def address(clip_id):
    return f"/api/v1/clips/{shown('clip', clip_id)}/record"


def test_a_record_tells_a_clips_life_from_the_order_on(tester):
    clip = a_clip(tester)
    items = tester.api.get(address(clip.id)).json()["items"]
    assert [(each["role"], each["sentence"]) for each in items] == [
        ("You", "Asked for this clip."),
        ("Greenroom", "Rendering began."),
        ("Greenroom", "The clip was kept. Charged: 1 credit."),
    ]
    assert [each["at"] for each in items] == sorted(each["at"] for each in items)


def test_staff_read_it_once_they_have_said_why_and_stand_in_it_themselves(tester, reviewer):
    clip = a_clip(tester)
    assert reviewer.api.get(address(clip.id)).status_code == 404
    reviewer.api.post(f"/api/v1/clips/{shown('clip', clip.id)}/viewings", {"why": "question"})
    last = reviewer.api.get(address(clip.id)).json()["items"][-1]
    assert last["role"] == "You"
    assert last["sentence"].startswith("Opened it.")
    assert tester.api.get(address(clip.id)).json()["items"][-1]["role"] == "A reviewer"


@pytest.mark.parametrize("outsider", ["second_tester", "stranger", "finance"])
def test_nobody_else_reads_it(outsider, request, tester):
    other = request.getfixturevalue(outsider)
    theirs, absent = (other.api.get(address(each)) for each in (a_clip(tester).id, new_id()))
    assert (theirs.status_code, theirs.content) == (404, absent.content)


def test_reading_it_asks_for_the_scope_of_clips(tester):
    clip = a_clip(tester)
    assert api_of(tester.token("quota:read")).get(address(clip.id)).status_code == 403
    assert api_of(tester.token("clips:read")).get(address(clip.id)).status_code == 200
