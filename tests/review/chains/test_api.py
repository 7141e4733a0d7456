"""The whole way of a submission for programs: forward, follow, withdraw, appeal."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import shown
from review.decisions.models import Appeal
from review.submissions.models import Case, Submission
from stage.builders import a_clip
from stage.cast import api_of
from stage.review import REASON, a_claim_of, a_decision, a_submission, an_appeal, press

pytestmark = pytest.mark.usefixtures("review_open")

SUBMISSIONS = "/api/v1/submissions"


def clip_id(clip):
    return shown("clip", clip.id)


def one(submission, deed=""):
    return f"{SUBMISSIONS}/{shown('submission', submission.id)}{deed}"


def test_a_clip_is_put_forward_and_followed(tester):
    clip = a_clip(tester)
    wish = {"clip": clip_id(clip), "note": "A mask.", "display_form": "pseudonym"}
    answer = tester.api.post(SUBMISSIONS, wish)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == made["url"] == one(Submission.objects.get())
    assert (made["state"], made["place"], made["waiting"]) == ("queued", 1, 1)
    assert (made["note"], made["policy"], made["charter"]) == ("A mask.", 1, 1)
    assert made["decision"] is None
    assert made["appeal"] == {"may_appeal": False, "until": None, "filed_at": None, "text": None}
    assert tester.api.get(made["url"]).json() == made
    assert tester.api.get(SUBMISSIONS).json()["items"] == [made]


def test_the_same_key_puts_forward_once_and_answers_twice(tester):
    clip = a_clip(tester)
    headers = {"idempotency-key": "once"}
    first, again = (
        tester.api.post(SUBMISSIONS, {"clip": clip_id(clip)}, headers=headers) for _each in "12"
    )
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert Submission.objects.count() == 1
    other = {"clip": clip_id(clip), "note": "Other."}
    reused = tester.api.post(SUBMISSIONS, other, headers=headers)
    assert reused.json()["code"] == "idempotency_key_reused"


def test_without_the_scope_or_the_clip_nothing_is_put_forward(tester, second_tester, stranger):
    clip = a_clip(tester)
    wish = {"clip": clip_id(clip)}
    reading = api_of(tester.token("submissions:read"))
    assert reading.post(SUBMISSIONS, wish).json()["code"] == "wrong_scope"
    creating = api_of(tester.token("submissions:create"))
    assert creating.get(SUBMISSIONS).json()["code"] == "wrong_scope"
    for member in (second_tester, stranger):
        assert member.api.post(SUBMISSIONS, wish).status_code == 404
    assert not Submission.objects.exists()


def test_somebody_elses_submission_is_absent(
    tester, second_tester, reviewer, manager, stranger, clock
):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    for member in (second_tester, reviewer, manager, stranger):
        assert member.api.get(one(submission)).status_code == 404
        assert member.api.post(one(submission, "/withdraw")).status_code == 404
        assert member.api.post(one(submission, "/appeal"), {}).status_code == 404
        assert member.api.get(SUBMISSIONS).json()["items"] == []


def test_what_is_put_forward_already_says_where(tester):
    submission = a_submission(tester)
    answer = tester.api.post(SUBMISSIONS, {"clip": clip_id(submission.clip)})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_submitted")
    assert answer.json()["submission"] == shown("submission", submission.id)


def test_a_decision_comes_with_clause_reason_evidence_and_the_way_on(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "changes_requested", quotes=["paper boat"])
    found = tester.api.get(one(submission)).json()
    decision = found["decision"]
    assert found["state"] == decision["outcome"] == "changes_requested"
    assert decision["clause"] == {
        "number": 1,
        "ground": "real_person",
        "title": "Nobody unasked",
        "words": "No recognisable person who did not agree.",
    }
    assert (decision["reason"], decision["remedy"]) == (REASON, "Blur the face.")
    assert decision["evidence"] == [
        {"frames": [2, 5], "quote": None},
        {"frames": None, "quote": "paper boat"},
    ]
    assert (decision["by"], decision["round"]) == ("reviewer", 1)
    assert found["appeal"]["may_appeal"]
    assert found["appeal"]["until"]
    assert shown("party", reviewer.party_id) not in str(found)


def test_a_pending_verdict_is_not_told(tester, reviewer):
    submission = a_submission(tester)
    press(reviewer, a_claim_of(reviewer), "declined")
    found = tester.api.get(one(submission)).json()
    assert (found["state"], found["decision"], found["decisions"]) == ("claimed", None, [])


def test_it_says_that_it_is_late(tester, clock):
    submission = a_submission(tester)
    assert not tester.api.get(one(submission)).json()["is_overdue"]
    clock.advance(hours=49)
    assert tester.api.get(one(submission)).json()["is_overdue"]


# Put forward twice and decided: each commit asks what was decided before it.
@pytest.mark.django_db(transaction=True)
def test_withdrawing_twice_is_fine_and_after_a_decision_too_late(tester, reviewer, clock):
    submission = a_submission(tester)
    for _each in range(2):
        answer = tester.api.post(one(submission, "/withdraw"))
        assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    again = a_submission(tester, submission.clip)
    a_decision(reviewer, clock)
    late = tester.api.post(one(again, "/withdraw"))
    assert (late.status_code, late.json()["code"]) == (409, "state_changed")


def test_an_appeal_is_filed_once_and_its_judgement_is_the_last_word(
    tester, reviewer, second_reviewer, clock
):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    headers = {"idempotency-key": "once"}
    first, again = (
        tester.api.post(one(submission, "/appeal"), {"text": "A mask."}, headers=headers)
        for _each in "12"
    )
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert Appeal.objects.count() == 1
    filed = first.json()
    assert (filed["kind"], filed["state"], filed["place"]) == ("appeal", "queued", 1)
    assert filed["appeal"]["text"] == "A mask."
    assert not filed["appeal"]["may_appeal"]
    second = tester.api.post(one(submission, "/appeal"), {"text": "Once more."})
    assert second.status_code == 409
    a_decision(second_reviewer, clock)
    found = tester.api.get(one(submission)).json()
    assert [decision["outcome"] for decision in found["decisions"]] == ["declined", "approved"]
    assert (found["decision"]["round"], found["decision"]["reversal"]) == (2, "fact_wrong")


def test_an_appeal_says_something(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    assert tester.api.post(one(submission, "/appeal"), {}).status_code == 422
    empty = tester.api.post(one(submission, "/appeal"), {"text": "  "})
    assert empty.status_code == 422
    assert not Appeal.objects.exists()


def test_a_withdrawn_appeal_leaves_the_first_decision(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    found = tester.api.post(one(submission, "/withdraw")).json()
    assert (found["kind"], found["state"]) == ("release", "declined")
    assert found["decision"]["outcome"] == "declined"


def test_the_list_asks_as_much_for_many_as_for_few(tester, reviewer, clock):
    a_submission(tester)
    a_decision(reviewer, clock, "declined")
    tester.api.get(SUBMISSIONS)
    with CaptureQueriesContext(connection) as few:
        assert len(tester.api.get(SUBMISSIONS).json()["items"]) == 1
    for _each in range(5):
        a_submission(tester)
    with CaptureQueriesContext(connection) as many:
        assert len(tester.api.get(SUBMISSIONS).json()["items"]) == 6
    assert len(few) == len(many)
    assert Case.objects.count() == 6
