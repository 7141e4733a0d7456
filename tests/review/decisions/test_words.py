"""Decisions and moments as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.notices.models import Notice
from accounts.notices.words import shown_notice
from core.outbox.commands import deliver
from review.decisions.commands import decide
from review.decisions.models import Verdict
from review.decisions.words import (
    Spot,
    appeal_words,
    shown_decision,
    shown_verdict,
    spot_words,
    where_words,
)
from review.desk.commands import escalate_overdue
from review.submissions.words import due_words, moment_words
from stage.review import a_claim_of, a_decision, a_submission, an_appeal, press

MOMENT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
PROMPT = "a paper boat crosses a green room"


@pytest.mark.parametrize(
    ("spot", "words"),
    [
        (Spot(frames=(96, 121)), "frames 96–121"),
        (Spot(frames=(0, 0)), "frame 0"),
        (Spot(prompt=(2, 12)), "the words “paper boat” of the prompt"),
    ],
)
def test_evidence_in_words(spot, words):
    assert spot_words(spot, PROMPT) == words


def test_several_places_stand_in_one_row():
    spots = [Spot(frames=(1, 2)), Spot(frames=(5, 5))]
    assert where_words(spots, PROMPT) == "frames 1–2, frame 5"


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (timedelta(hours=5), "today 17:00"),
        (timedelta(hours=-3), "today 09:00"),
        (timedelta(days=1, hours=5), "Thursday 17:00"),
        (timedelta(days=6), "Tuesday 12:00"),
        (timedelta(days=7), "27 May, 12:00"),
        (timedelta(days=-1), "19 May, 12:00"),
        (timedelta(days=300), "16 March 2027, 12:00"),
    ],
)
def test_a_moment_is_said_as_somebody_says_it(after, words):
    with timezone.override(UTC):
        assert moment_words(MOMENT + after, MOMENT) == words


def test_a_moment_is_said_in_the_zone_of_its_reader():
    with timezone.override("Asia/Tokyo"):
        assert moment_words(MOMENT + timedelta(hours=4), MOMENT) == "Thursday 01:00"


def test_a_time_that_has_passed_says_so():
    with timezone.override(UTC):
        assert due_words(MOMENT, MOMENT + timedelta(hours=1)) == "late: was due today 12:00"
        assert due_words(MOMENT, MOMENT - timedelta(hours=1)) == "decision due today 12:00"
        closes = MOMENT + timedelta(days=4)
        assert appeal_words(closes, MOMENT) == "You can appeal until 24 May."
        past = appeal_words(closes, closes + timedelta(seconds=1))
        assert past == "It could be appealed until 24 May."


@pytest.mark.usefixtures("review_open")
@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("approved", "Approved."),
        ("declined", "Declined under clause 1, frames 2–5: Nobody unasked."),
        (
            "changes_requested",
            "Changes asked for under clause 1, frames 2–5: Nobody unasked.",
        ),
    ],
)
def test_a_first_decision_in_one_sentence(tester, reviewer, clock, outcome, sentence):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, outcome)
    assert shown_verdict(Verdict.objects.get(), 1, PROMPT).sentence == sentence
    clock.advance(seconds=11)
    assert decide(case.id)
    case.refresh_from_db()
    assert shown_decision(case.decision, PROMPT).sentence == sentence


@pytest.mark.usefixtures("review_open")
@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("approved", "Overturned on appeal, and approved. What was seen is not what is there."),
        ("declined", "Upheld on appeal: declined under clause 1, frames 2–5: Nobody unasked."),
    ],
)
def test_an_appeal_in_one_sentence(tester, reviewer, second_reviewer, clock, outcome, sentence):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    decision = a_decision(second_reviewer, clock, outcome)
    assert shown_decision(decision, PROMPT).sentence == sentence


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("review_open")
def test_maker_and_managers_hear_what_concerns_them(tester, manager, reviewer, clock):
    a_submission(tester)
    a_decision(reviewer, clock, "declined")
    a_submission(tester)
    clock.advance(hours=60)
    assert escalate_overdue() == 1
    deliver("notices")
    told = {
        member.email: {one.kind for one in Notice.objects.filter(party_id=member.party_id)}
        for member in (tester, manager, reviewer)
    }
    assert told[tester.email] >= {"case.decided", "case.overdue"}
    assert told[manager.email] >= {"case.escalated"}
    assert not told[reviewer.email]
    for member in (tester, manager):
        for notice in Notice.objects.filter(party_id=member.party_id, kind__startswith="case."):
            answer = member.client.get(shown_notice(notice).url, follow=True)
            assert answer.status_code == 200, notice.kind
