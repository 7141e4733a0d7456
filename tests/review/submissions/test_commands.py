"""Putting a clip forward, and taking it back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.programmes.commands import add_member
from accounts.programmes.models import Role
from core.audit.models import AuditEvent
from core.errors import Absent, AgreementMissing, InvalidOrder, NotReady, TooLate, WrongScope
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.outbox.models import OutboxMessage
from review.credits.models import CreditLine
from review.credits.rules import DisplayForm
from review.decisions.models import Verdict
from review.policies.commands import publish_charter
from review.submissions.commands import AlreadyDecided, AlreadySubmitted, withdraw_submission
from review.submissions.models import Case, Submission
from review.submissions.queries import places_of, submission_for, submissions_of
from stage.builders import a_clip
from stage.cast import Member, a_member, accept, decline, give_credits
from stage.review import a_claim_of, a_decision, a_submission, open_review, press

pytestmark = pytest.mark.usefixtures("review_open")


def sub(submission: Submission) -> str:
    return shown("submission", submission.id)


def test_everything_it_is_judged_by_is_sealed(tester):
    clip = a_clip(tester)
    made = a_submission(tester, clip, note="  My first.  ", display_form=DisplayForm.PSEUDONYM)
    case = Case.objects.get(submission=made)
    assert (made.master_sha256, made.frames, made.note) == (clip.master_sha256, 8, "My first.")
    assert made.policy.number == made.charter.number == 1
    assert [person.party_id for person in made.people.all()] == [tester.party_id]
    assert (case.state, case.round, case.due_at - case.opened_at) == (
        "queued",
        1,
        timedelta(hours=48),
    )
    line = CreditLine.objects.get(clip=clip)
    assert (line.role, line.state, line.display_form) == ("maker", "accepted", "pseudonym")
    assert AuditEvent.objects.filter(kind="submission.sealed", subject_id=made.id).exists()
    assert OutboxMessage.objects.filter(kind="submission.sealed").exists()


def test_the_clock_is_the_charters_of_that_moment(tester, programme):
    first = a_submission(tester)
    publish_charter(programme_id=programme.id, decide_within_hours=1, appeal_within_hours=1)
    second = a_submission(tester)
    hours = [
        (case.due_at - case.opened_at) / timedelta(hours=1)
        for case in Case.objects.filter(submission__in=[first, second]).order_by("queue_number")
    ]
    assert hours == [48, 1]


def test_what_is_under_review_is_not_put_forward_twice(tester):
    made = a_submission(tester)
    with pytest.raises(AlreadySubmitted) as refused:
        a_submission(tester, made.clip)
    assert refused.value.facts["submission"] == sub(made)
    assert Submission.objects.count() == 1


def test_the_same_bytes_from_another_clip_are_the_same_thing(tester):
    first, second = a_clip(tester, seed=5), a_clip(tester, seed=5)
    assert first.master_sha256 == second.master_sha256
    a_submission(tester, first)
    with pytest.raises(AlreadySubmitted):
        a_submission(tester, second)


def test_two_testers_may_both_put_forward_what_looks_alike(tester, second_tester):
    first, second = a_clip(tester, seed=5), a_clip(second_tester, seed=5)
    assert first.master_sha256 == second.master_sha256
    a_submission(tester, first)
    a_submission(second_tester, second)
    assert Case.objects.filter(state="queued").count() == 2


def test_what_was_decided_is_not_put_forward_again(tester, reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    with pytest.raises(AlreadyDecided) as refused:
        a_submission(tester, made.clip)
    assert refused.value.facts["submission"] == sub(made)


def test_a_form_sent_twice_puts_forward_once(tester):
    clip = a_clip(tester)
    once = Once.of(scope="here", key="a", payload=None)
    a_submission(tester, clip, once=once, answer=lambda made: (201, {"id": sub(made)}))
    with pytest.raises(AlreadyAnswered) as again:
        a_submission(tester, clip, once=once, answer=lambda made: (201, {}))
    assert again.value.body == {"id": sub(Submission.objects.get())}


def test_only_its_owner_puts_a_clip_forward(tester, second_tester, stranger, reviewer):
    clip = a_clip(tester)
    for other in (second_tester, stranger, reviewer):
        with pytest.raises(Absent):
            a_submission(other, clip)
    assert not Submission.objects.exists()


def test_it_takes_an_accepted_agreement(tester):
    clip = a_clip(tester)
    decline(tester)
    with pytest.raises(AgreementMissing):
        a_submission(tester, clip)


def test_a_token_needs_the_scope(tester):
    clip = a_clip(tester)
    tester.__dict__["actor"] = tester.token_actor("clips:read")
    with pytest.raises(WrongScope):
        a_submission(tester, clip)


def test_without_clauses_and_a_clock_there_is_no_review(stranger):
    with pytest.raises(NotReady) as refused:
        a_submission(stranger)
    assert refused.value.code == "review_not_open"


@pytest.mark.parametrize("note", ["x" * 2001, "bell\x07", "turned\u202e"])
def test_a_note_that_cannot_be_read_is_refused(tester, note):
    with pytest.raises(InvalidOrder) as refused:
        a_submission(tester, note=note)
    assert refused.value.code == "note_invalid"


def test_withdrawing_takes_it_off_the_desk_and_it_may_come_again(tester):
    made = a_submission(tester)
    for _twice in range(2):
        withdraw_submission(actor=tester.actor, submission_id=sub(made))
    assert Case.objects.get().state == "withdrawn"
    assert AuditEvent.objects.filter(kind="submission.withdrawn").count() == 1
    a_submission(tester, made.clip)
    assert Case.objects.filter(state="queued").count() == 1


def test_withdrawing_takes_a_pressed_verdict_with_it(tester, reviewer):
    made = a_submission(tester)
    press(reviewer, a_claim_of(reviewer), "declined")
    withdraw_submission(actor=tester.actor, submission_id=sub(made))
    assert not Verdict.objects.exists()
    assert Case.objects.get().state == "withdrawn"


def test_what_is_decided_cannot_be_withdrawn(tester, reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock)
    with pytest.raises(TooLate):
        withdraw_submission(actor=tester.actor, submission_id=sub(made))


def test_somebody_elses_submission_is_absent(tester, second_tester, stranger, reviewer):
    made = a_submission(tester)
    for other in (second_tester, stranger, reviewer):
        with pytest.raises(Absent):
            withdraw_submission(actor=other.actor, submission_id=sub(made))
        with pytest.raises(Absent):
            submission_for(other.actor, sub(made))
    assert list(submissions_of(tester.actor)) == [made]


def test_a_new_version_answers_the_changes_that_were_asked_for(tester, reviewer, clock):
    first = a_submission(tester)
    a_decision(reviewer, clock, "changes_requested")
    newer = a_clip(tester, seed=99, continues=shown("thread", first.clip.thread_id))
    assert newer.version == 2
    assert a_submission(tester, newer).answers == first
    assert a_submission(tester).answers is None


def test_the_desk_is_fair_and_a_flood_delays_the_others_by_one(tester, second_tester):
    flood = [a_submission(tester) for _ in range(4)]
    late = a_submission(second_tester)
    cases = {case.submission_id: case.id for case in Case.objects.all()}
    places = places_of(cases.values())
    assert places[cases[late.id]].place == 2, "behind the first of the flood, before the second"
    assert [places[cases[one.id]].place for one in flood] == [1, 3, 4, 5]
    assert {place.waiting for place in places.values()} == {5}


def test_a_manager_hears_when_nobody_may_judge(tester, manager, programme):
    assert manager.actor
    a_submission(tester)  # there is no reviewer in this programme
    said = OutboxMessage.objects.get(kind="case.unstaffed")
    assert (said.party_id, said.subject_id) == (manager.party_id, Case.objects.get().id)


def test_nobody_is_told_when_somebody_can(tester, manager, reviewer):
    assert manager.actor
    assert reviewer.actor
    a_submission(tester)
    assert not OutboxMessage.objects.filter(kind="case.unstaffed").exists()


def test_a_reviewer_who_made_the_clip_is_no_judge_of_it(programme):
    both = a_member(programme, Role.TESTER, Role.REVIEWER, name="both")
    manager = a_member(programme, Role.MANAGER, name="lead")
    a_submission(both)
    assert OutboxMessage.objects.filter(kind="case.unstaffed", party_id=manager.party_id).exists()


def test_another_programmes_desk_is_another(tester, stranger, other_programme):
    open_review(other_programme)
    a_submission(tester)
    theirs = a_submission(stranger)
    case = Case.objects.get(submission=theirs)
    assert places_of([case.id])[case.id].waiting == 1


def test_the_same_bytes_in_another_programme_are_another_matter(tester, other_programme, reviewer):
    open_review(other_programme)
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    there = Member(tester.person, other_programme)
    accept(there)
    give_credits(there, 1000)
    a_submission(tester, a_clip(tester, seed=5))
    a_submission(there, a_clip(there, seed=5))
    assert Case.objects.filter(state="queued").count() == 2
