"""Conversations as pages and over the API, on clips and on anything."""

from __future__ import annotations

import pytest
from journeys.forms import send

from accounts.conversations.commands import write_remark
from accounts.conversations.models import Conversation, Remark
from accounts.people.models import PersonalDetail
from core.ids import shown
from stage.builders import a_clip
from stage.cast import api_of
from stage.review import a_claim_of, a_submission, open_review


def call(member, name):
    PersonalDetail.objects.filter(person=member.person).update(display_name=name)


def clip_address(clip):
    return f"/conversations/new?clip={shown('clip', clip.id)}"


def test_a_member_asks_about_a_clip_and_a_manager_answers(tester, manager):
    call(manager, "Mara Vogt")
    clip = a_clip(tester)
    page = tester.client.get(f"/clips/{shown('clip', clip.id)}")
    assert f'href="{clip_address(clip)}"' in page.text
    send(tester.client, clip_address(clip), clip_address(clip), words="Why so dark?")

    listed = manager.client.get("/conversations").text
    assert "Why so dark?" in listed
    assert "Waits for your answer." in listed
    address = f"/conversations/{shown('conversation', Conversation.objects.get().id)}"
    send(manager.client, address, address, words="The lamp was off.")

    answered = tester.client.get(address).text
    assert answered.index("Why so dark?") < answered.index("The lamp was off.")
    assert "Programme manager" in answered
    assert "Mara Vogt" in answered
    assert "A manager has answered." in answered
    assert tester.client.get(clip_address(clip)).headers["location"] == address


def test_a_form_sends_once_however_often_it_is_pressed(tester):
    form = {"words": "Hello?", "once": "a" * 32}
    for _ in range(2):
        tester.client.post("/conversations/new", form)
    assert Remark.objects.count() == 1


def test_what_is_refused_is_still_in_the_form(tester):
    answer = tester.client.post("/conversations/new", {"words": "x" * 4001, "once": "b" * 32})
    assert answer.status_code == 422
    assert "These are 4001 characters; at most 4000 are sent at once." in answer.text
    assert "x" * 4001 in answer.text


def test_the_list_of_somebody_who_asked_nothing_says_what_one_can_do(tester, manager):
    assert "You have asked nothing yet." in tester.client.get("/conversations").text
    assert "Nobody has asked anything yet." in manager.client.get("/conversations").text
    waiting = manager.client.get("/conversations?show=waiting").text
    assert "Nobody waits for an answer." in waiting


def test_nobody_else_finds_it(tester, second_tester, reviewer, stranger):
    clip = a_clip(tester)
    remark = write_remark(actor=tester.actor, words="Psst.", clip_id=clip.id)
    address = f"/conversations/{shown('conversation', remark.conversation_id)}"
    for one in (second_tester, reviewer, stranger):
        assert one.client.get(address).status_code == 404
        assert one.client.get(clip_address(clip)).status_code == 404
        assert one.api.get(f"/api/v1{address}/remarks").status_code == 404


def test_whose_clip_it_is_is_not_said_while_it_is_judged(
    programme, tester, reviewer, manager, clock
):
    open_review(programme)
    call(tester, "Tilda Test")
    submission = a_submission(tester)
    write_remark(actor=tester.actor, words="How long?", clip_id=submission.clip_id)
    a_claim_of(reviewer)

    assert "Tilda Test" not in manager.client.get("/conversations").text
    (row,) = manager.api.get("/api/v1/conversations/to-answer").json()["items"]
    assert row["member"] == ""
    write_remark(actor=tester.actor, words="And in general?")
    assert "Tilda Test" in manager.client.get("/conversations").text


def test_a_manager_at_the_desk_may_write_to_the_maker(programme, tester, manager, reviewer):
    open_review(programme)
    submission = a_submission(tester)
    case = f"/desk/cases/{shown('case', submission.cases.get().id)}"
    address = clip_address(submission.clip)
    assert address in manager.client.get(case).text
    assert address not in reviewer.client.get(case).text
    send(manager.client, address, address, words="Which lamp is it?")
    assert Remark.objects.get().role == "manager"


def test_programs_read_and_write_them(tester, manager):
    first = tester.api.post("/api/v1/conversations", {"words": "Hello?"})
    assert (first.status_code, first.json()["role"]) == (201, "member")
    address = first.json()["url"]
    said = manager.api.post(f"{address}/remarks", {"words": "Hello."})
    assert (said.status_code, said.json()["role"]) == (201, "manager")

    assert tester.api.get(address).json()["waits"] is False
    remarks = tester.api.get(f"{address}/remarks").json()["items"]
    assert [(one["role"], one["words"]) for one in remarks] == [
        ("member", "Hello?"),
        ("manager", "Hello."),
    ]
    assert (
        tester.api.get("/api/v1/conversations").json()["items"][0]["id"]
        == first.json()["conversation"]
    )


def test_a_repeated_request_says_it_once(tester):
    for _ in range(2):
        answer = tester.api.post(
            "/api/v1/conversations", {"words": "Hello?"}, headers={"Idempotency-Key": "one"}
        )
        assert answer.status_code == 201
    assert Remark.objects.count() == 1


@pytest.mark.parametrize("who", ["tester", "manager"])
def test_a_clip_of_elsewhere_is_absent(who, stranger, request):
    clip = a_clip(stranger)
    answer = request.getfixturevalue(who).api.post(
        "/api/v1/conversations", {"words": "Hello?", "clip": shown("clip", clip.id)}
    )
    assert answer.status_code == 404


def test_reading_needs_its_scope(tester):
    answer = api_of(tester.token("conversations:write")).get("/api/v1/conversations")
    assert answer.json()["code"] == "wrong_scope"


def test_a_list_of_twenty_costs_no_more_queries_than_one_of_two(
    tester, second_tester, manager, django_assert_max_num_queries
):
    for member in (tester, second_tester):
        write_remark(actor=member.actor, words="Hello?")
        write_remark(actor=member.actor, words="About this?", clip_id=a_clip(member).id)
    actor = manager.client
    with django_assert_max_num_queries(16):
        actor.get("/conversations")


def test_a_question_waits_for_the_manager_on_the_first_page_until_it_is_answered(tester, manager):
    asked = write_remark(actor=tester.actor, words="Hello?")
    page = manager.client.get("/").text
    assert "1 conversation waits for an answer." in page
    assert 'href="/conversations?show=waiting"' in page
    public_id = shown("conversation", asked.conversation_id)
    write_remark(actor=manager.actor, words="Yes?", conversation_id=public_id)
    assert "waits for an answer." not in manager.client.get("/").text


def test_a_manager_does_not_begin_a_conversation_with_themself(manager):
    assert "/conversations/new" not in manager.client.get("/conversations").text
    shown_instead = manager.client.get("/conversations/new", follow=True).text
    assert "You manage this programme: you are the person its members talk to." in shown_instead
    form = {"words": "Hello?", "once": "c" * 32}
    assert manager.client.post("/conversations/new", form).status_code == 409
    assert manager.api.post("/api/v1/conversations", {"words": "Hello?"}).status_code == 409
    assert not Conversation.objects.exists()
