"""The tester's side: what is put forward, where it stands, what was decided, and the appeal."""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.people.models import PersonalDetail
from core.audit.models import AuditEvent
from core.ids import shown
from generation.clips.models import Clip
from review.chains.pages import review_section
from review.credits.models import CreditLine
from review.decisions.models import Appeal
from review.policies.commands import publish_charter
from review.submissions.commands import withdraw_submission
from review.submissions.models import Case, Submission
from stage.builders import a_clip
from stage.review import REASON, a_claim_of, a_decision, a_submission, an_appeal, press

review_open = pytest.mark.usefixtures("review_open")


def page(member, path, status=200):
    answer = member.client.get(path)
    assert answer.status_code == status, answer.content.decode()
    return words_of(answer)


def words_of(answer):
    return unescape(answer.content.decode())


def clip_id(clip):
    return shown("clip", clip.id)


def thread(submission):
    return f"/submissions/{shown('submission', submission.id)}"


def new(clip):
    return f"/submissions/new?clip={clip_id(clip)}"


def put_forward(member, clip, **said):
    wish = {"clip": clip_id(clip), "note": "", "display_form": "none", "once": uuid4().hex}
    return member.client.post("/submissions/new", wish | said)


# Putting forward -------------------------------------------------------------------------------


@review_open
def test_before_the_press_stands_what_it_will_do(tester):
    clip = a_clip(tester)
    PersonalDetail.objects.filter(person=tester.person).update(credit_name="The Lamp")
    said = page(tester, new(clip))
    assert "this one file of 8 frames, its prompt and its recipe" in said
    assert clip.master_sha256 in said
    assert "48 hours" in said
    assert "120 hours" in said
    assert "No recognisable person who did not agree." in said
    assert "The Lamp" in said
    assert "Approval publishes nothing" in said
    assert not Submission.objects.exists()


@review_open
def test_a_clip_is_put_forward_once_however_often_the_form_is_sent(tester):
    clip = a_clip(tester)
    once = uuid4().hex
    said = {"note": "The face is a mask.", "display_form": "pseudonym", "once": once}
    first, second = (put_forward(tester, clip, **said) for _each in range(2))
    made = Submission.objects.get()
    assert first.headers["location"] == second.headers["location"] == thread(made)
    assert made.note == "The face is a mask."
    assert CreditLine.objects.get(clip=clip).display_form == "pseudonym"


@review_open
def test_a_form_of_another_name_names_nobody(tester):
    clip = a_clip(tester)
    put_forward(tester, clip, display_form="full_name")
    assert CreditLine.objects.get(clip=clip).display_form == "none"


@review_open
def test_whoever_is_credited_already_is_not_asked_again(tester):
    clip = a_clip(tester)
    submission = a_submission(tester, clip)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    said = page(tester, new(clip))
    assert "In the credits of this clip:" in said
    assert 'name="display_form"' not in said


@review_open
def test_what_is_under_review_leads_to_its_review(tester):
    submission = a_submission(tester)
    answer = tester.client.get(new(submission.clip))
    assert answer.headers["location"] == thread(submission)


@review_open
def test_the_same_bytes_are_refused_with_the_way_to_their_review(tester):
    first, second = a_clip(tester, seed=5), a_clip(tester, seed=5)
    submission = a_submission(tester, first)
    answer = put_forward(tester, second, note="Again, please.")
    assert answer.status_code == 409
    said = words_of(answer)
    assert "These very bytes are under review already." in said
    assert f'href="{thread(submission)}"' in said
    assert ">Again, please.</textarea>" in said


@review_open
def test_a_note_that_is_refused_is_kept(tester):
    clip = a_clip(tester)
    answer = put_forward(tester, clip, note="a bell\u0007")
    assert answer.status_code == 422
    assert "A note has at most 2000 characters" in words_of(answer)
    assert "a bell" in words_of(answer)
    assert not Submission.objects.exists()


def test_before_the_clauses_are_published_the_review_is_not_open(tester):
    clip = a_clip(tester)
    assert "The review is not open yet." in page(tester, new(clip))
    answer = put_forward(tester, clip)
    assert answer.status_code == 503
    assert not Submission.objects.exists()


@review_open
def test_somebody_elses_clip_cannot_be_put_forward(tester, second_tester, reviewer, stranger):
    clip = a_clip(tester)
    for member in (second_tester, reviewer, stranger):
        page(member, new(clip), 404)
        assert put_forward(member, clip).status_code == 404
    page(tester, "/submissions/new", 404)
    page(tester, "/submissions/new?clip=clp_nothing", 404)


# Following -------------------------------------------------------------------------------------


@review_open
def test_a_submission_is_its_makers_alone(tester, second_tester, reviewer, manager, stranger):
    submission = a_submission(tester)
    page(tester, thread(submission))
    for member in (second_tester, reviewer, manager, stranger):
        page(member, thread(submission), 404)
        for deed in ("withdraw", "appeal"):
            answer = member.client.post(f"{thread(submission)}/{deed}", {"text": "Please."})
            assert answer.status_code == 404
    assert Case.objects.get().state == "queued"


@review_open
def test_where_it_stands_is_a_sentence_with_place_and_clock(tester, reviewer, clock):
    clock.set(clock.now().replace(hour=9, minute=30))
    first, second = a_submission(tester), a_submission(tester)
    assert re.search(
        r"Waiting for review, 2nd of 2; decision due \w+ \d\d:30\.", page(tester, thread(second))
    )
    case = a_claim_of(reviewer)
    assert case.submission_id == first.id
    said = page(tester, thread(first))
    assert "A reviewer is looking at it; decision due" in said
    assert re.search(r"A reviewer: </span>Took it to look at it\.", said)
    clock.advance(hours=60)
    assert "late: was due" in page(tester, thread(second))


@review_open
def test_the_list_says_where_each_stands_with_as_many_queries_for_many(
    tester, second_tester, reviewer, clock
):
    assert "You have put nothing forward yet." in page(tester, "/submissions")
    a_submission(tester)
    a_decision(reviewer, clock)
    with CaptureQueriesContext(connection) as few:
        said = page(tester, "/submissions")
    assert "Approved. You can release it." in said
    for _each in range(3):
        a_submission(tester)
    a_decision(reviewer, clock, "declined")
    with CaptureQueriesContext(connection) as many:
        said = page(tester, "/submissions")
    assert "Waiting for review, 2nd of 2; decision due" in said
    assert "Declined under clause 1, frames 2–5: Nobody unasked." in said
    assert len(few) == len(many)
    assert "You have put nothing forward yet." in page(second_tester, "/submissions")


@review_open
def test_a_decline_is_told_in_full_and_by_role(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined", quotes=["paper boat"])
    said = page(tester, thread(submission))
    assert (
        "Declined under clause 1, frames 2–5, the words “paper boat” of the prompt:"
        " Nobody unasked." in said
    )
    assert "No recognisable person who did not agree." in said
    assert REASON in said
    assert re.search(r"You can appeal until \d+ \w+( \d{4})?\.", said)
    assert "Decided by a reviewer of the programme" in said
    assert reviewer.email not in said
    assert shown("party", reviewer.party_id) not in said


@review_open
def test_a_request_for_changes_leads_to_a_new_version(tester, reviewer, clock):
    clip = a_clip(tester, seed=5)
    submission = a_submission(tester, clip)
    a_decision(reviewer, clock, "changes_requested")
    said = page(tester, thread(submission))
    assert "Blur the face." in said
    assert f"/clips/new?continue={shown('job', clip.job_id)}" in said
    second = a_clip(tester, seed=6, continues=shown("thread", clip.thread_id))
    assert "This answers the changes that were asked for" in page(tester, new(second))
    answer = a_submission(tester, second)
    assert f'href="{thread(answer)}"' in page(tester, thread(submission))
    assert f'href="{thread(submission)}"' in page(tester, thread(answer))


@review_open
def test_a_pending_verdict_is_not_to_be_seen(tester, reviewer):
    submission = a_submission(tester)
    press(reviewer, a_claim_of(reviewer), "declined")
    said = page(tester, thread(submission))
    assert "A reviewer is looking at it" in said
    assert "ecline" not in said
    assert AuditEvent.objects.filter(kind="verdict.pressed").exists()


# Withdrawing -----------------------------------------------------------------------------------


# Put forward twice and decided: each commit asks what was decided before it.
@pytest.mark.django_db(transaction=True)
@review_open
def test_it_is_withdrawn_while_nothing_is_decided(tester, reviewer, clock):
    submission = a_submission(tester)
    answer = tester.client.post(f"{thread(submission)}/withdraw", follow=True)
    assert "Withdrawn. Nothing is decided about it." in words_of(answer)
    assert "Withdrawn before anything was decided." in words_of(answer)
    again = a_submission(tester, submission.clip)
    a_decision(reviewer, clock)
    answer = tester.client.post(f"{thread(again)}/withdraw", follow=True)
    assert "This was decided meanwhile" in words_of(answer)
    assert Case.objects.get(submission=again).state == "approved"


# Appealing -------------------------------------------------------------------------------------


@review_open
def test_an_appeal_is_filed_once_and_followed(tester, reviewer, second_reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    wish = {"text": "It is a mask.", "once": uuid4().hex}
    for _each in range(2):
        answer = tester.client.post(f"{thread(submission)}/appeal", wish)
        assert answer.headers["location"] == thread(submission)
    assert Appeal.objects.get().text == "It is a mask."
    said = page(tester, thread(submission))
    assert "Your appeal waits, 1st of 1; decision due" in said
    assert "It is a mask." in said
    assert 'name="text"' not in said
    assert a_decision(second_reviewer, clock, "declined").round == 2
    said = page(tester, thread(submission))
    assert "Upheld on appeal: declined under clause 1" in said
    assert "This was the last word on it." in said


@review_open
def test_an_appeal_that_says_nothing_or_comes_too_late_is_refused(
    programme, tester, reviewer, clock
):
    publish_charter(
        programme_id=programme.id,
        decide_within_hours=48,
        appeal_within_hours=120,
        appeal_open_days=3,
    )
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    empty = tester.client.post(f"{thread(submission)}/appeal", {"text": " ", "once": uuid4().hex})
    assert empty.status_code == 422
    assert "Please write your appeal." in words_of(empty)
    clock.advance(days=3, seconds=1)
    said = page(tester, thread(submission))
    assert "It could be appealed until" in said
    assert 'name="text"' not in said
    late = tester.client.post(
        f"{thread(submission)}/appeal", {"text": "It is a mask.", "once": uuid4().hex}
    )
    assert late.status_code == 409
    assert "The time for an appeal is over." in words_of(late)
    assert "It is a mask." in words_of(late)


@review_open
def test_an_overturned_decision_is_an_approval(tester, reviewer, second_reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    a_decision(second_reviewer, clock)
    said = page(tester, thread(submission))
    assert "Overturned on appeal, and approved." in said
    assert "You can release it." in said


@review_open
def test_whoever_withdraws_an_appeal_has_the_first_decision_again(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    tester.client.post(f"{thread(submission)}/withdraw")
    said = page(tester, thread(submission))
    assert "You withdrew your appeal, so it stands." in said
    assert "Withdrew the appeal." in said
    assert 'name="text"' not in said


# On the clip's page ----------------------------------------------------------------------------


@review_open
def test_the_section_of_a_clip_offers_its_maker_what_comes_next(tester, reviewer, clock):
    clip = a_clip(tester)
    section = review_section(tester.actor, clip)
    assert (section["standing"], section["new_url"]) == (None, new(clip))
    submission = a_submission(tester, clip)
    section = review_section(tester.actor, clip)
    assert section["url"] == thread(submission)
    assert section["new_url"] is None
    assert section["standing"].sentence.startswith("Waiting for review, 1st of 1")
    a_decision(reviewer, clock)
    assert review_section(tester.actor, clip)["standing"].tone == "good"


@review_open
def test_the_section_of_a_clip_tells_staff_the_state_alone(tester, manager, reviewer, clock):
    clip = a_clip(tester)
    assert review_section(manager.actor, clip)["sentence"] == ""
    submission = a_submission(tester, clip)
    section = review_section(manager.actor, clip)
    case = Case.objects.get(submission=submission)
    assert section["case_url"] == f"/desk/cases/{shown('case', case.id)}"
    assert "Waiting for review" in section["sentence"]
    assert "url" not in section
    a_decision(reviewer, clock, "declined")
    assert review_section(manager.actor, clip)["sentence"] == "Declined under clause 1"
    assert Clip.objects.count() == 1
