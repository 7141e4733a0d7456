"""A few words for each clip's card, whatever became of it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import shown
from review.chains.words import card_states
from review.desk.commands import return_expired_leases
from review.submissions.commands import withdraw_submission
from stage.builders import a_clip
from stage.review import a_claim_of, a_decision, a_submission, an_appeal

pytestmark = pytest.mark.usefixtures("review_open")


def words(member, clip):
    return card_states(member.actor, [clip.id])[clip.id]


# Put forward twice and decided: each commit asks what was decided before it.
@pytest.mark.django_db(transaction=True)
def test_each_state_has_its_words(tester, reviewer, second_reviewer, clock):
    clip = a_clip(tester)
    assert words(tester, clip) == "Only you can see it"
    submission = a_submission(tester, clip)
    assert words(tester, clip) == "Waiting for review, 1st of 1"
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    assert words(tester, clip) == "Only you can see it"
    submission = a_submission(tester, clip)
    a_claim_of(second_reviewer)
    assert words(tester, clip) == "A reviewer is looking at it"
    clock.advance(minutes=11)
    assert return_expired_leases() == 1
    a_decision(reviewer, clock, "declined")
    assert words(tester, clip) == "Declined under clause 1"
    an_appeal(tester, submission)
    assert words(tester, clip) == "Waiting for review, 1st of 1"
    a_decision(second_reviewer, clock)
    assert words(tester, clip) == "Approved; you can release it"


def test_an_appeal_that_was_withdrawn_leaves_the_first_decision(tester, reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "changes_requested")
    an_appeal(tester, submission)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    assert words(tester, submission.clip) == "Changes asked for under clause 1"


def test_two_queries_for_any_number_of_clips(tester, reviewer, clock):
    a_submission(tester)
    a_decision(reviewer, clock)
    clips = [a_submission(tester).clip_id for _each in range(3)] + [a_clip(tester).id]
    with CaptureQueriesContext(connection) as asked:
        found = card_states(tester.actor, clips)
    assert len(asked) == 2
    assert list(found.values()) == [
        "Waiting for review, 1st of 3",
        "Waiting for review, 2nd of 3",
        "Waiting for review, 3rd of 3",
        "Only you can see it",
    ]


def test_somebody_elses_case_gives_nothing_away(tester, second_tester):
    submission = a_submission(tester)
    assert words(second_tester, submission.clip) == "Only you can see it"
