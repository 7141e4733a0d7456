"""What somebody hears of by mail is theirs to choose, at a page and over the API alike."""

import pytest

from accounts.notices.rules import Topic
from accounts.people.models import PersonalDetail
from accounts.post.api import PostWish
from accounts.post.queries import choices_of
from accounts.post.rules import ALWAYS_MAILED, USUAL, Way
from core.clock import now
from stage.cast import api_of

pytestmark = pytest.mark.django_db

POST = "/api/v1/settings/post"


def chosen(member):
    return {choice.topic: choice.way for choice in choices_of(member.party_id)}


def test_the_page_says_what_cannot_be_turned_down_and_offers_three_ways_of_the_rest(tester):
    page = tester.client.get("/settings/post").content.decode()
    assert page.count("Always mailed at once") == len(ALWAYS_MAILED)
    assert page.count('type="radio"') == 3 * (len(Topic) - len(ALWAYS_MAILED))
    assert tester.email in page


def test_what_is_chosen_at_the_page_is_kept(tester, second_tester):
    answer = tester.client.post(
        "/settings/post", {"clips": "mail", "news": "inbox", "terms": "inbox", "pay": "nonsense"}
    )
    assert answer.url == "/settings/post"
    usual = {topic: USUAL[topic] for topic in Topic}
    assert chosen(tester) == usual | {Topic.CLIPS: Way.MAIL, Topic.NEWS: Way.INBOX}
    assert chosen(second_tester) == usual
    tester.client.post("/settings/post", {"clips": "digest"})
    assert chosen(tester)[Topic.CLIPS] is Way.DIGEST


def test_the_api_changes_only_what_is_given(tester):
    answer = tester.api.patch(POST, {"clips": "digest"})
    assert answer.status_code == 200
    ways = {each["topic"]: each["way"] for each in answer.json()["topics"]}
    assert ways == {topic.value: USUAL[topic].value for topic in Topic} | {"clips": "digest"}
    assert tester.api.get(POST).json() == answer.json()


def test_the_api_refuses_to_turn_down_what_is_always_mailed(tester):
    answer = tester.api.patch(POST, {"terms": "inbox", "clips": "mail"})
    assert (answer.status_code, answer.json()["code"]) == (422, "topic_always_mailed")
    assert chosen(tester)[Topic.CLIPS] is Way.INBOX
    assert tester.api.patch(POST, {"weather": "inbox"}).status_code == 422


def test_the_api_has_a_field_for_every_topic():
    assert set(PostWish().get_fields()) == set(Topic.values)


def test_reading_and_changing_are_two_scopes(tester):
    reader = api_of(tester.token("settings:read"))
    assert reader.get(POST).status_code == 200
    assert reader.patch(POST, {"clips": "mail"}).json()["code"] == "wrong_scope"


def test_a_program_may_say_that_mail_works_again(tester):
    PersonalDetail.objects.filter(person=tester.person).update(mail_bounced_at=now())
    assert tester.api.get(POST).json()["mail_bounced_at"] is not None
    assert tester.api.post(f"{POST}/again").json()["mail_bounced_at"] is None
    assert tester.api.post(f"{POST}/again").status_code == 200
