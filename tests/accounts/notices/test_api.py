"""Notices over the native API."""

import pytest

from accounts.notices.commands import write_notices
from core.ids import new_id, shown
from core.outbox.models import OutboxMessage
from stage.cast import api_of

pytestmark = pytest.mark.django_db

NOTICES = "/api/v1/notices"


def told(member, kind="job.finished", thing="job"):
    """The public ids of the notice and of what it is about."""
    message = OutboxMessage(
        id=new_id(),
        at=member.programme.made_at,
        kind=kind,
        party_id=member.party_id,
        subject_kind=thing,
        subject_id=new_id(),
    )
    write_notices(message)
    return shown("notice", message.id), shown(thing, message.subject_id)


def test_a_notice_says_what_it_is_about_and_where_to_look(tester):
    notice, job = told(tester)
    (item,) = tester.api.get(NOTICES).json()["items"]
    assert (item["id"], item["kind"], item["text"]) == (notice, "job.finished", "A clip is ready.")
    assert (item["subject"], item["page"], item["read_at"]) == (job, f"/jobs/{job}", None)


def test_unread_notices_come_newest_first_page_by_page(tester, second_tester):
    ids = [told(tester)[0] for _number in range(3)]
    told(second_tester)
    first = tester.api.get(NOTICES, {"limit": 2}).json()
    second = tester.api.get(NOTICES, {"limit": 2, "cursor": first["next"]}).json()
    assert sorted(each["id"] for each in first["items"] + second["items"]) == sorted(ids)
    assert second["next"] is None


def test_what_is_put_away_leaves_the_list_and_twice_is_fine(tester):
    notice, _job = told(tester)
    first = tester.api.post(f"{NOTICES}/{notice}/dismiss")
    again = tester.api.post(f"{NOTICES}/{notice}/dismiss")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["read_at"] is not None
    assert first.json() == again.json()
    assert tester.api.get(NOTICES).json()["items"] == []


def test_somebody_elses_notice_looks_like_an_absent_one(tester, second_tester):
    theirs, _job = told(second_tester)
    answers = [
        tester.api.post(f"{NOTICES}/{each}/dismiss")
        for each in (theirs, shown("notice", new_id()), "nonsense", shown("job", new_id()))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len(second_tester.api.get(NOTICES).json()["items"]) == 1


def test_reading_and_putting_away_are_two_scopes(tester):
    notice, _job = told(tester)
    reader = api_of(tester.token("notices:read"))
    assert len(reader.get(NOTICES).json()["items"]) == 1
    assert reader.post(f"{NOTICES}/{notice}/dismiss").json()["code"] == "wrong_scope"


def test_many_notices_cost_no_more_than_one(tester, django_assert_num_queries):
    told(tester)
    tester.api.get(NOTICES)
    with django_assert_num_queries(3):
        tester.api.get(NOTICES)
    for _number in range(6):
        told(tester)
    with django_assert_num_queries(3):
        tester.api.get(NOTICES)


def test_what_was_put_away_is_in_the_list_of_all(tester):
    notice, _job = told(tester)
    told(tester, "payout.paid", "payout")
    tester.api.post(f"{NOTICES}/{notice}/dismiss")
    everything = tester.api.get(NOTICES, {"show": "all"}).json()["items"]
    assert {each["id"]: each["read_at"] is None for each in everything}[notice] is False
    assert len(everything) == 2
    of_topic = tester.api.get(NOTICES, {"show": "all", "topic": "pay"}).json()["items"]
    assert [each["topic"] for each in of_topic] == ["pay"]
    assert tester.api.get(NOTICES, {"topic": "weather"}).status_code == 422


def test_all_of_a_topic_are_put_away_at_once(tester, second_tester):
    for _number in range(3):
        told(tester)
    told(tester, "payout.paid", "payout")
    told(second_tester)
    assert tester.api.post(f"{NOTICES}/dismiss", {"topic": "clips"}).json() == {"dismissed": 3}
    assert len(tester.api.get(NOTICES).json()["items"]) == 1
    assert tester.api.post(f"{NOTICES}/dismiss", {}).json() == {"dismissed": 1}
    assert len(second_tester.api.get(NOTICES).json()["items"]) == 1
