"""Contributions over the native API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import new_id, shown
from core.money import MICRO
from review.contributions.models import Contribution
from stage.builders import a_clip
from stage.cast import api_of
from stage.money import ANSWER, REASON, a_contribution, a_rate

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/contributions"
WISH = {"kind": "bug_report", "title": "The lamp flickers", "words": "It is gone for a frame."}


def url_of(contribution: Contribution) -> str:
    return f"{ADDRESS}/{shown('contribution', contribution.id)}"


def test_a_contribution_is_filed_once_and_has_an_address(tester):
    a_rate(tester.programme.id)
    clip = shown("clip", a_clip(tester).id)
    body = WISH | {"clip": clip, "frame_from": 2, "frame_to": 3}
    key = {"Idempotency-Key": "k1"}
    answer = tester.api.post(ADDRESS, body, headers=key)
    again = tester.api.post(ADDRESS, body, headers=key)
    assert (answer.status_code, again.status_code) == (201, 201)
    assert again.json() == answer.json()
    assert tester.api.get(answer.headers["Location"]).json() == answer.json()
    assert answer.json()["state"] == "filed"
    assert (answer.json()["clip"], answer.json()["rate_micro"]) == (clip, 25 * MICRO)
    assert Contribution.objects.count() == 1


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"kind": "release"}, 422, "fields_invalid"),
        ({"title": " "}, 422, "title_invalid"),
        ({"words": " "}, 422, "words_invalid"),
        ({"frame_from": 1}, 422, "frames_without_clip"),
        ({"clip": "clp_nothing"}, 404, "not_found"),
        ({"amount": 5}, 422, "fields_invalid"),
    ],
)
def test_a_wish_that_is_wrong_is_named(tester, wish, status, code):
    answer = tester.api.post(ADDRESS, WISH | wish)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Contribution.objects.exists()


def test_the_list_holds_ones_own_newest_first(tester, second_tester):
    mine = [a_contribution(tester) for _number in range(3)]
    a_contribution(second_tester)
    seen, cursor = [], ""
    while cursor is not None:
        page = tester.api.get(f"{ADDRESS}?limit=2{cursor}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert sorted(seen) == sorted(shown("contribution", each.id) for each in mine)


def test_staff_answer_what_waits(tester, reviewer):
    a_rate(tester.programme.id)
    first, second = a_contribution(tester), a_contribution(tester)
    waiting = reviewer.api.get(f"{ADDRESS}/to-triage").json()["items"]
    assert len(waiting) == 2
    accepted = reviewer.api.post(f"{url_of(first)}/triage", {"accept": True, "answer": "Found."})
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    declined = reviewer.api.post(
        f"{url_of(second)}/triage",
        {"accept": False, "decline_reason": REASON, "answer": ANSWER},
    )
    assert declined.json()["decline_reason"] == REASON
    assert reviewer.api.get(f"{ADDRESS}/to-triage").json()["items"] == []
    assert tester.api.get(url_of(second)).json()["answer"] == ANSWER
    assert tester.api.get("/api/v1/earnings").json()["owed_micro"] == 25 * MICRO
    late = reviewer.api.post(f"{url_of(first)}/triage", {"accept": True})
    assert (late.status_code, late.json()["code"]) == (409, "state_changed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "fields_invalid"),
        ({"accept": False}, "decline_reason_unknown"),
        ({"accept": False, "decline_reason": "criticism"}, "fields_invalid"),
        ({"accept": False, "decline_reason": REASON}, "answer_too_short"),
    ],
)
def test_an_answer_that_is_none_is_named(tester, reviewer, body, code):
    answer = reviewer.api.post(f"{url_of(a_contribution(tester))}/triage", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_scopes_and_roles_are_asked_for_each_address(tester, reviewer):
    filed = a_contribution(tester)
    reader = api_of(tester.token("contributions:read"))
    assert reader.get(url_of(filed)).status_code == reader.get(ADDRESS).status_code == 200
    assert reader.post(ADDRESS, WISH).json()["code"] == "wrong_scope"
    assert reader.get(f"{ADDRESS}/to-triage").json()["code"] == "wrong_scope"
    assert tester.api.get(f"{ADDRESS}/to-triage").status_code == 404
    assert tester.api.post(f"{url_of(filed)}/triage", {"accept": True}).status_code == 404
    # A reviewer's token that may not answer reads its own contributions only.
    narrow = api_of(reviewer.token("contributions:read"))
    assert narrow.get(url_of(filed)).status_code == 404
    wide = api_of(reviewer.token("contributions:read", "contributions:triage"))
    assert wide.get(url_of(filed)).status_code == 200


def test_somebody_elses_contribution_looks_like_an_absent_one(tester, second_tester, stranger):
    url = url_of(a_contribution(tester))
    absent = f"{ADDRESS}/{shown('contribution', new_id())}"
    for member in (second_tester, stranger):
        assert member.api.get(url).status_code == 404
        assert member.api.get(url).content == member.api.get(absent).content


def test_the_lists_cost_the_same_for_one_and_for_many(tester, reviewer, django_assert_num_queries):
    a_rate(tester.programme.id)
    clip = shown("clip", a_clip(tester).id)
    a_contribution(tester, clip=clip)
    places = [
        (tester.api, ADDRESS),
        (reviewer.api, f"{ADDRESS}/to-triage"),
        (tester.client, "/contributions"),
        (reviewer.client, "/contributions/to-triage"),
    ]
    asked = []
    for client, address in places:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        asked.append(len(queries))
    for _number in range(12):
        a_contribution(tester, clip=clip)
    for (client, address), number in zip(places, asked, strict=True):
        with django_assert_num_queries(number):
            client.get(address)
