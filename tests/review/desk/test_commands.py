"""Leases: who gets which case, for how long, and what happens when nobody does anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from accounts.programmes.models import Role, RoleGrant
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, WrongScope
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.clips.commands import say_why
from generation.clips.models import Viewing
from generation.clips.queries import clip_for
from review.credits.models import CreditLine
from review.decisions.commands import LeaseLost, decide_due
from review.decisions.models import Verdict
from review.desk.commands import (
    TooManyLeases,
    claim_next_case,
    escalate_overdue,
    renew_case_lease,
    return_case,
    return_cases_of,
    return_expired_leases,
)
from review.desk.queries import bars_of, case_for, desk_counts, held_by, queue_of
from review.submissions.commands import withdraw_submission
from review.submissions.models import Case, Skip
from stage.cast import a_member
from stage.review import a_claim_of, a_decision, a_submission, an_appeal, press

pytestmark = pytest.mark.usefixtures("review_open")


def cas(case: Case) -> str:
    return shown("case", case.id)


def test_the_head_of_the_desk_comes_with_a_lease_and_a_recorded_look(tester, reviewer):
    first, second = a_submission(tester), a_submission(tester)
    case = a_claim_of(reviewer)
    assert case.submission_id == first.id
    assert (case.state, case.lease_by_id, case.lease_slot, case.lease_number) == (
        "claimed",
        reviewer.party_id,
        1,
        1,
    )
    assert clip_for(reviewer.actor, shown("clip", first.clip_id)) == first.clip
    look = Viewing.objects.get()
    assert (look.role, look.why) == ("reviewer", "review")
    with pytest.raises(Absent):
        clip_for(reviewer.actor, shown("clip", second.clip_id))


def test_no_case_is_given_twice(tester, reviewer, second_reviewer):
    a_submission(tester)
    a_claim_of(reviewer)
    assert claim_next_case(actor=second_reviewer.actor) is None


def test_three_cases_fit_into_two_hands_and_no_fourth(tester, reviewer):
    for _ in range(4):
        a_submission(tester)
    cases = [a_claim_of(reviewer) for _ in range(3)]
    assert [case.lease_slot for case in cases] == [1, 2, 3]
    with pytest.raises(TooManyLeases):
        claim_next_case(actor=reviewer.actor)
    return_case(actor=reviewer.actor, case_id=cas(cases[1]), why="unsure")
    assert a_claim_of(reviewer).lease_slot == 2


def test_only_reviewers_with_the_scope_claim(tester, manager, finance, reviewer):
    a_submission(tester)
    for other in (tester, manager, finance):
        with pytest.raises(Absent):
            claim_next_case(actor=other.actor)
    with pytest.raises(WrongScope):
        claim_next_case(actor=reviewer.token_actor("cases:read"))


def test_nobody_is_offered_their_own_work(programme, tester):
    both = a_member(programme, Role.TESTER, Role.REVIEWER, name="both")
    own = a_submission(both)
    other = a_submission(tester)
    assert a_claim_of(both).submission_id == other.id
    assert claim_next_case(actor=both.actor) is None
    case = Case.objects.get(submission=own)
    assert case not in queue_of(both.actor)
    with pytest.raises(Absent):
        case_for(both.actor, cas(case))
    assert bars_of(both.actor, [case.id]) == {case.id: "own_work"}


def test_nobody_is_offered_what_they_are_credited_on(tester, reviewer, second_reviewer):
    made = a_submission(tester)
    CreditLine.objects.create(
        clip=made.clip,
        programme=made.programme,
        party=reviewer.party,
        proposed_by=tester.party,
        role="editor",
    )
    assert claim_next_case(actor=reviewer.actor) is None
    case = a_claim_of(second_reviewer)
    assert bars_of(reviewer.actor, [case.id]) == {case.id: "took_part"}


def test_an_appeal_is_offered_to_somebody_outside_the_chain_only(
    tester, reviewer, second_reviewer, clock
):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    case = an_appeal(tester, made)
    assert claim_next_case(actor=reviewer.actor) is None
    assert bars_of(reviewer.actor, [case.id]) == {case.id: "in_the_chain"}
    assert a_claim_of(second_reviewer).id == case.id


def test_a_reviewer_whose_role_was_taken_gets_nothing(tester, reviewer):
    a_submission(tester)
    actor = reviewer.actor
    RoleGrant.objects.filter(membership__party_id=reviewer.party_id).update(ended_at=now())
    assert claim_next_case(actor=actor) is None


def test_a_heartbeat_lengthens_the_lease_and_the_right_to_look(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    clock.advance(minutes=8)
    renewed = renew_case_lease(
        actor=reviewer.actor, case_id=cas(case), lease_number=case.lease_number
    )
    assert renewed.lease_until > case.lease_until
    clock.advance(minutes=9)
    assert return_expired_leases() == 0
    for _ in range(3):
        renew_case_lease(actor=reviewer.actor, case_id=cas(case), lease_number=case.lease_number)
        clock.advance(minutes=9)
    assert clip_for(reviewer.actor, shown("clip", case.chain_id))
    assert Viewing.objects.count() == 2, "one for each half hour, not one for each heartbeat"


def handed_back(tester, reviewer, case, clock):
    return_case(actor=reviewer.actor, case_id=cas(case), why="unsure")


def withdrawn(tester, reviewer, case, clock):
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", case.submission_id))


def decided(tester, reviewer, case, clock):
    press(reviewer, case)
    clock.advance(seconds=11)
    assert decide_due() == 1


def fallen_silent(tester, reviewer, case, clock):
    clock.advance(minutes=11)
    assert return_expired_leases() == 1


def who_left(tester, reviewer, case, clock):
    whose = {"programme_id": case.programme_id, "reviewer_id": reviewer.party_id}
    assert return_cases_of(**whose) == 2, "the other one too"


@pytest.mark.parametrize("end", [handed_back, withdrawn, decided, fallen_silent, who_left])
def test_looking_ends_with_the_case(tester, reviewer, clock, end):
    a_submission(tester)
    a_submission(tester)
    case, other = a_claim_of(reviewer), a_claim_of(reviewer)
    if end is fallen_silent:
        Case.objects.filter(id=other.id).update(lease_until=now() + timedelta(minutes=20))
    clock.advance(seconds=1)
    assert clip_for(reviewer.actor, shown("clip", case.chain_id))
    master = case.chain.renditions.get(kind="master")
    assert may_open(master, reviewer)
    end(tester, reviewer, case, clock)
    with pytest.raises(Absent):
        clip_for(reviewer.actor, shown("clip", case.chain_id))
    assert not may_open(master, reviewer)
    if end is not who_left:
        assert clip_for(reviewer.actor, shown("clip", other.chain_id)), "of a case still in hand"
    clock.advance(seconds=1)
    say_why(actor=reviewer.actor, shown_id=shown("clip", case.chain_id), why="question")
    assert clip_for(reviewer.actor, shown("clip", case.chain_id)), "they said why anew"


def may_open(rendition, reviewer):
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM rendition_for(%s, %s)", [rendition.id, reviewer.party_id])
        return bool(cursor.fetchall())


def test_looking_for_another_reason_goes_on_when_the_case_ends(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    say_why(actor=reviewer.actor, shown_id=shown("clip", case.chain_id), why="report")
    clock.advance(seconds=1)
    handed_back(tester, reviewer, case, clock)
    assert clip_for(reviewer.actor, shown("clip", case.chain_id))


def test_who_falls_silent_loses_the_case_to_its_old_place(tester, reviewer, second_reviewer, clock):
    first, _second = a_submission(tester), a_submission(tester)
    case = a_claim_of(reviewer)
    clock.advance(minutes=11)
    assert return_expired_leases() == 1
    assert a_claim_of(second_reviewer).submission_id == first.id
    with pytest.raises(LeaseLost):
        renew_case_lease(actor=reviewer.actor, case_id=cas(case), lease_number=case.lease_number)
    assert AuditEvent.objects.get(kind="case.returned").facts == {"why": "lease_ended"}
    assert not Skip.objects.exists(), "falling silent is not a skip"


def test_a_lease_with_a_pressed_verdict_does_not_end(tester, reviewer, clock):
    a_submission(tester)
    press(reviewer, a_claim_of(reviewer), "declined")
    clock.advance(hours=1)
    assert return_expired_leases() == 0
    assert Verdict.objects.exists()


def test_an_old_lease_number_renews_nothing(tester, reviewer, second_reviewer):
    a_submission(tester)
    case = a_claim_of(reviewer)
    return_case(actor=reviewer.actor, case_id=cas(case), why="break")
    newer = a_claim_of(second_reviewer)
    assert newer.lease_number == case.lease_number + 1
    with pytest.raises(LeaseLost):
        renew_case_lease(
            actor=second_reviewer.actor, case_id=cas(case), lease_number=case.lease_number
        )


def test_handing_back_takes_a_reason_and_is_not_offered_again(tester, reviewer, second_reviewer):
    a_submission(tester)
    case = a_claim_of(reviewer)
    with pytest.raises(InvalidOrder) as refused:
        return_case(actor=reviewer.actor, case_id=cas(case), why="other")
    assert refused.value.code == "skip_reason_unknown"
    return_case(actor=reviewer.actor, case_id=cas(case), why="unsure")
    assert claim_next_case(actor=reviewer.actor) is None
    assert a_claim_of(second_reviewer).id == case.id
    with pytest.raises(LeaseLost):
        return_case(actor=reviewer.actor, case_id=cas(case), why="unsure")


def test_the_third_hand_back_escalates_and_then_it_is_offered_to_all_again(
    programme, tester, manager
):
    assert manager.actor
    made = a_submission(tester)
    three = [a_member(programme, Role.REVIEWER, name=f"reviewer {n}") for n in range(3)]
    for each in three:
        case = a_claim_of(each)
        return_case(actor=each.actor, case_id=cas(case), why="unsure")
    case = Case.objects.get(submission=made)
    assert case.escalated_at is not None
    said = OutboxMessage.objects.get(kind="case.escalated")
    assert (said.party_id, said.facts) == (manager.party_id, {"why": "handed_back"})
    assert a_claim_of(three[0]).id == case.id


def test_a_declared_conflict_bars_for_good(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    return_case(actor=reviewer.actor, case_id=cas(case), why="conflict")
    clock.advance(hours=49)
    escalate_overdue()
    assert claim_next_case(actor=reviewer.actor) is None
    assert bars_of(reviewer.actor, [case.id]) == {case.id: "declared_conflict"}


def test_what_is_late_goes_first_and_people_hear_once(
    tester, second_tester, reviewer, manager, clock
):
    assert manager.actor
    a_submission(tester)
    late = a_submission(tester)
    clock.advance(hours=47)
    a_submission(second_tester)
    assert escalate_overdue() == 0
    clock.advance(hours=2)
    assert escalate_overdue() == 2
    assert escalate_overdue() == 0
    assert OutboxMessage.objects.filter(kind="case.escalated").count() == 2
    assert {said.party_id for said in OutboxMessage.objects.filter(kind="case.overdue")} == {
        tester.party_id
    }
    a_claim_of(reviewer)
    assert a_claim_of(reviewer).submission_id == late.id
    assert desk_counts(reviewer.actor).overdue == 2


def test_the_queue_and_its_counts_are_the_programmes_own(tester, stranger, reviewer):
    a_submission(tester)
    a_submission(tester)
    a_claim_of(reviewer)
    counts = desk_counts(reviewer.actor)
    assert (counts.waiting, counts.claimed, counts.overdue, counts.mine) == (1, 1, 0, 1)
    assert [case.state for case in queue_of(reviewer.actor)] == ["claimed", "queued"]
    assert len(held_by(reviewer.actor)) == 1
    with pytest.raises(Absent):
        case_for(stranger.actor, cas(Case.objects.latest("queue_number")))
