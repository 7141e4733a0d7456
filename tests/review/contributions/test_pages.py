"""Filing, following and answering, by plain forms."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.programmes.models import Role
from accounts.rates.rules import ActKind
from core.ids import new_id, shown
from core.money import MICRO
from review.contributions.models import Contribution
from review.contributions.rules import State
from review.ledger.queries import owed_to
from stage.builders import a_clip
from stage.cast import a_member
from stage.money import ANSWER, REASON, a_contribution, a_rate, an_earning

pytestmark = pytest.mark.django_db

FORM = {
    "kind": "bug_report",
    "clip": "",
    "frame_from": "",
    "frame_to": "",
    "title": "The lamp flickers",
    "words": "Between two frames it is gone.",
    "once": "k1",
}


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain.replace("\N{NO-BREAK SPACE}", " "))


def page_of(contribution: Contribution) -> str:
    return f"/contributions/{shown('contribution', contribution.id)}"


def test_who_filed_nothing_is_told_what_for(tester):
    words = text(tester.client.get("/contributions"))
    assert "You have filed nothing yet." in words
    assert "Criticism is welcome" in words


def test_beside_the_button_stands_what_each_kind_earns_or_that_it_earns_nothing(tester):
    a_rate(tester.programme.id, 25 * MICRO)
    a_rate(tester.programme.id, 0, ActKind.FEEDBACK)
    words = text(tester.client.get("/contributions/new"))
    assert "Bug report 25.00 EUR" in words
    assert "Feedback Nothing is paid." in words
    assert "Red-team finding Nothing is paid." in words
    assert "Release of a clip" not in words


def test_one_form_files_once(tester):
    answer = tester.client.post("/contributions/new", FORM)
    again = tester.client.post("/contributions/new", FORM)
    filed = Contribution.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_of(filed))
    assert again["Location"] == page_of(filed)
    assert "The lamp flickers" in text(tester.client.get("/contributions"))


def test_a_clip_named_in_the_address_is_chosen_in_the_form(tester):
    clip = shown("clip", a_clip(tester).id)
    page = tester.client.get(f"/contributions/new?clip={clip}&kind=feedback").content.decode()
    assert re.search(rf'value="{clip}" selected', page)
    assert re.search(r'value="feedback"[^>]* checked', page)
    frames = {"clip": clip, "frame_from": "2", "frame_to": "3"}
    tester.client.post("/contributions/new", FORM | frames)
    filed = Contribution.objects.get()
    assert (filed.frame_from, filed.frame_to) == (2, 3)
    words = text(tester.client.get(page_of(filed)))
    assert "2–3" in words
    assert "a paper boat" in words


def test_somebody_elses_clip_is_absent_here_too(tester, second_tester):
    clip = shown("clip", a_clip(second_tester).id)
    for wanted in (clip, "clp_nothing"):
        assert tester.client.get(f"/contributions/new?clip={wanted}").status_code == 404
        answer = tester.client.post("/contributions/new", FORM | {"clip": wanted})
        assert answer.status_code == 404
    assert not Contribution.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"words": " "},
        {"kind": "release"},
        {"kind": ""},
        {"title": "x" * 121},
        {"frame_from": "1"},
        {"frame_from": "one"},
    ],
)
def test_a_form_that_is_wrong_comes_back_as_it_was(tester, wrong):
    answer = tester.client.post("/contributions/new", FORM | wrong)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'class="wrong"' in page
    assert wrong.get("words", FORM["words"]) in page
    assert not Contribution.objects.exists()


def test_without_an_agreement_the_page_says_where_to_read_it(programme):
    newcomer = a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)
    answer = newcomer.client.post("/contributions/new", FORM)
    assert answer.status_code == 403
    assert 'href="/agreement"' in answer.content.decode()


def test_its_maker_sees_state_answer_and_pay(tester, reviewer):
    a_rate(tester.programme.id)
    waiting = a_contribution(tester)
    words = text(tester.client.get(page_of(waiting)))
    assert "Waits for an answer." in words
    assert "25.00 EUR if it is accepted" in words
    accepted = an_earning(tester, reviewer)
    words = text(tester.client.get(page_of(accepted)))
    assert "Accepted." in words
    assert "25.00 EUR was earned with it." in words
    assert "See your earnings" in words
    assert "You: Filed it." in words
    assert "Staff: Accepted it." in words
    assert "Answer it" not in words


def test_staff_accept_and_the_maker_is_owed(tester, reviewer):
    a_rate(tester.programme.id)
    filed = a_contribution(tester)
    assert "The lamp flickers" in text(reviewer.client.get("/contributions/to-triage"))
    assert "is owed 25.00 EUR at once" in text(reviewer.client.get(page_of(filed)))
    answer = reviewer.client.post(f"{page_of(filed)}/accept", {"answer": "Thank you."})
    assert answer.status_code == 302
    assert owed_to(tester.party_id, tester.programme.id).left.amount_micro == 25 * MICRO
    assert "Everything is answered." in text(reviewer.client.get("/contributions/to-triage"))
    assert "Thank you." in text(tester.client.get(page_of(filed)))


def test_staff_decline_with_a_reason_and_a_sentence(tester, manager):
    filed = a_contribution(tester)
    url = f"{page_of(filed)}/decline"
    for wrong in ({}, {"decline_reason": REASON}, {"decline_reason": REASON, "answer": "No."}):
        answer = manager.client.post(url, wrong)
        assert answer.status_code == 422
        assert 'class="wrong"' in answer.content.decode()
        assert '<details class="more" open>' in answer.content.decode()
    answer = manager.client.post(url, {"decline_reason": REASON, "answer": ANSWER})
    assert answer.status_code == 302
    words = text(tester.client.get(page_of(filed)))
    assert "Declined: It could not be reproduced." in words
    assert ANSWER in words


def test_whoever_answers_second_is_told(tester, reviewer, manager):
    filed = a_contribution(tester)
    reviewer.client.post(f"{page_of(filed)}/accept", {"answer": ""})
    late = manager.client.post(
        f"{page_of(filed)}/decline", {"decline_reason": REASON, "answer": ANSWER}
    )
    assert late.status_code == 409
    assert "answered this already" in text(late)
    assert Contribution.objects.get().state == State.ACCEPTED


def test_nobody_is_offered_to_answer_their_own(programme):
    both = a_member(programme, Role.TESTER, Role.REVIEWER, name="both")
    filed = a_contribution(both)
    assert "Answer it" not in text(both.client.get(page_of(filed)))
    assert "Everything is answered." in text(both.client.get("/contributions/to-triage"))
    assert both.client.post(f"{page_of(filed)}/accept", {}).status_code == 403


@pytest.mark.parametrize("who", ["second_tester", "finance", "auditor", "stranger"])
def test_a_contribution_is_its_makers_and_the_desks(tester, request, who):
    member = request.getfixturevalue(who)
    filed = a_contribution(tester)
    assert member.client.get(page_of(filed)).status_code == 404
    assert member.client.post(f"{page_of(filed)}/accept", {}).status_code == 404
    assert member.client.get("/contributions/to-triage").status_code == 404
    assert "The lamp flickers" not in text(member.client.get("/contributions"))


def test_only_testers_have_the_form(reviewer):
    assert reviewer.client.get("/contributions/new").status_code == 404
    assert reviewer.client.post("/contributions/new", FORM).status_code == 404


def test_an_unknown_contribution_is_absent(tester):
    for wrong in (shown("contribution", new_id()), "ctb_nothing"):
        assert tester.client.get(f"/contributions/{wrong}").status_code == 404
