"""Pressing, taking back, deciding, appealing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.entrance.commands import close_account
from accounts.programmes.models import RoleGrant
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, TooLate
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.outbox.models import OutboxMessage
from review.credits.models import CreditLine
from review.decisions.commands import (
    LeaseLost,
    TookEffect,
    VerdictStands,
    decide,
    decide_due,
    file_appeal,
    take_back_verdict,
)
from review.decisions.models import Appeal, Decision, Verdict
from review.decisions.queries import approval_of, decision_for_clip
from review.desk.commands import return_case
from review.submissions.models import Case
from stage.review import REASON, a_claim_of, a_decision, a_submission, an_appeal, press

pytestmark = pytest.mark.usefixtures("review_open")


def cas(case: Case) -> str:
    return shown("case", case.id)


def appeal(member, submission, text="It is a mask.", **options) -> Appeal:
    return file_appeal(
        actor=member.actor, submission_id=shown("submission", submission.id), text=text, **options
    )


def test_a_press_decides_after_ten_seconds_and_not_before(tester, reviewer, clock):
    made = a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined", quotes=["paper boat"])
    assert decide_due() == 0
    clock.advance(seconds=9)
    assert decide_due() == 0
    assert not OutboxMessage.objects.filter(kind="case.decided").exists()
    clock.advance(seconds=1)
    assert decide_due() == 1
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reason, decision.clause.number) == ("declined", REASON, 1)
    assert [
        (one.frame_from, one.frame_to, one.prompt_from, one.prompt_to)
        for one in decision.evidence.order_by("frame_from")
    ] == [(2, 5, None, None), (None, None, 2, 12)]
    case.refresh_from_db()
    assert (case.state, case.lease_by_id, case.closed_at) == (
        "declined",
        None,
        decision.decided_at,
    )
    assert not Verdict.objects.exists()
    said = OutboxMessage.objects.get(kind="case.decided")
    assert (said.party_id, said.subject_id) == (tester.party_id, made.id)
    assert said.facts == {"outcome": "declined", "round": 1, "is_late": False}


def test_what_is_taken_back_never_was(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    for _twice in range(2):
        take_back_verdict(actor=reviewer.actor, case_id=cas(case))
    clock.advance(seconds=30)
    assert decide_due() == 0
    case.refresh_from_db()
    assert (case.state, case.lease_by_id) == ("claimed", reviewer.party_id)


def test_a_second_press_begins_the_ten_seconds_anew(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    clock.advance(seconds=8)
    press(reviewer, case, "approved", replaces=Verdict.objects.get().mark)
    clock.advance(seconds=8)
    assert decide_due() == 0
    clock.advance(seconds=2)
    assert decide_due() == 1
    assert Decision.objects.get().outcome == "approved"
    pressed = AuditEvent.objects.filter(kind="verdict.pressed").order_by("at")
    assert [event.facts.get("replaced") for event in pressed] == [None, "declined"]


def test_a_verdict_that_the_second_window_has_not_seen_stands(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    standing = Verdict.objects.get()
    clock.advance(seconds=3)
    with pytest.raises(VerdictStands) as refused:
        press(reviewer, case, "approved")
    assert refused.value.facts == {
        "mark": standing.mark,
        "outcome": "declined",
        "effective_at": standing.effective_at.isoformat(),
    }
    with pytest.raises(VerdictStands):
        press(reviewer, case, "approved", replaces="of another one")
    clock.advance(seconds=7)
    assert decide_due() == 1
    assert Decision.objects.get().outcome == "declined"


def test_the_same_verdict_pressed_twice_is_one_and_its_seconds_go_on(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    clock.advance(seconds=5)
    press(reviewer, case, "declined")
    assert AuditEvent.objects.filter(kind="verdict.pressed").count() == 1
    clock.advance(seconds=5)
    assert decide_due() == 1


def test_a_mark_dies_with_its_verdict(tester, reviewer, clock):
    """Taken back and pressed again: whoever saw the first has not seen the second."""
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    seen = Verdict.objects.get().mark
    take_back_verdict(actor=reviewer.actor, case_id=cas(case))
    clock.advance(seconds=1)
    press(reviewer, case, "declined", reason=f"{REASON} And in the next ones.")
    with pytest.raises(VerdictStands):
        press(reviewer, case, "approved", replaces=seen)


def test_after_the_ten_seconds_nothing_is_taken_back(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case)
    clock.advance(seconds=10)
    with pytest.raises(TookEffect):
        take_back_verdict(actor=reviewer.actor, case_id=cas(case))
    assert decide_due() == 1


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"outcome": "banned"}, "outcome_unknown", "outcome"),
        ({"clause": None}, "clause_missing", "clause"),
        ({"clause": 4}, "clause_missing", "clause"),
        ({"reason": "Ugly."}, "reason_too_short", "reason"),
        ({"reason": " " * 40}, "reason_too_short", "reason"),
        ({"reason": "x" * 4001}, "text_invalid", "reason"),
        ({"frames": []}, "evidence_missing", "frames"),
        ({"frames": [(0, 8)]}, "frames_outside_the_clip", "frames"),
        ({"frames": [(5, 2)]}, "frames_outside_the_clip", "frames"),
        ({"frames": [(-1, 2)]}, "frames_outside_the_clip", "frames"),
        ({"quotes": ["a submarine"]}, "quote_not_in_the_prompt", "quotes"),
        ({"quotes": [""]}, "quote_not_in_the_prompt", "quotes"),
        ({"outcome": "changes_requested", "remedy": " "}, "text_missing", "remedy"),
    ],
)
def test_a_verdict_comes_with_everything_its_outcome_needs(tester, reviewer, wrong, code, field):
    a_submission(tester)
    case = a_claim_of(reviewer)
    wish = {"outcome": "declined", **wrong}
    with pytest.raises(InvalidOrder) as refused:
        press(reviewer, case, wish.pop("outcome"), **wish)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Verdict.objects.exists()


def test_the_first_and_the_last_frame_are_frames_of_the_clip(tester, reviewer, clock):
    a_submission(tester)
    a_decision(reviewer, clock, "declined", frames=[(0, 7)])
    assert Decision.objects.get().evidence.get().frame_to == 7


def test_only_who_has_the_case_presses(tester, reviewer, second_reviewer, stranger):
    a_submission(tester)
    case = a_claim_of(reviewer)
    with pytest.raises(LeaseLost):
        press(second_reviewer, case)
    with pytest.raises(Absent):
        press(stranger, case)
    return_case(actor=reviewer.actor, case_id=cas(case), why="break")
    with pytest.raises(LeaseLost):
        press(reviewer, case)


def test_a_screen_from_an_earlier_lease_presses_nothing(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    old = case.lease_number
    with pytest.raises(LeaseLost):
        press(reviewer, case, lease_number=old - 1)


def test_who_lost_the_role_meanwhile_decides_nothing(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case)
    RoleGrant.objects.filter(membership__party_id=reviewer.party_id).update(ended_at=now())
    clock.advance(seconds=11)
    assert not decide(case.id)
    case.refresh_from_db()
    assert (case.state, Decision.objects.exists(), Verdict.objects.exists()) == (
        "queued",
        False,
        False,
    )


def test_who_was_credited_meanwhile_decides_nothing(tester, reviewer, clock):
    made = a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case)
    CreditLine.objects.create(
        clip=made.clip,
        programme=made.programme,
        party=reviewer.party,
        proposed_by=tester.party,
        role="editor",
    )
    clock.advance(seconds=11)
    assert not decide(case.id)
    assert not Decision.objects.exists()


def test_an_appeal_is_a_second_case_with_its_own_clock(tester, reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    case = an_appeal(tester, made)
    assert (case.kind, case.round, case.due_at - case.opened_at) == (
        "appeal",
        2,
        timedelta(hours=120),
    )
    assert approval_of(made.clip_id) is None


def test_an_appeal_overturns_with_a_reason_of_the_list(tester, reviewer, second_reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, made)
    case = a_claim_of(second_reviewer)
    with pytest.raises(InvalidOrder) as refused:
        press(second_reviewer, case, "approved", reversal="")
    assert refused.value.code == "reversal_missing"
    with pytest.raises(InvalidOrder) as refused:
        press(second_reviewer, case, "changes_requested")
    assert refused.value.code == "outcome_unknown"
    press(second_reviewer, case, "approved")
    clock.advance(seconds=11)
    assert decide_due() == 1
    last = decision_for_clip(made.clip_id)
    assert (last.round, last.outcome, last.reversal) == (2, "approved", "fact_wrong")
    assert approval_of(made.clip_id) == last


def test_an_appeal_that_is_upheld_ends_the_chain(tester, reviewer, second_reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, made)
    a_decision(second_reviewer, clock, "declined")
    assert decision_for_clip(made.clip_id).round == 2
    with pytest.raises(TooLate):
        appeal(tester, made)


def test_only_its_owner_appeals_once_and_only_a_decline(
    tester, second_tester, reviewer, second_reviewer, clock
):
    made = a_submission(tester)
    with pytest.raises(TooLate):
        appeal(tester, made)
    a_decision(reviewer, clock, "declined")
    with pytest.raises(Absent):
        appeal(second_tester, made)
    with pytest.raises(InvalidOrder):
        appeal(tester, made, text=" ")
    appeal(tester, made)
    with pytest.raises(TooLate):
        appeal(tester, made)
    approved = a_submission(second_tester)
    a_decision(reviewer, clock)
    with pytest.raises(TooLate):
        appeal(second_tester, approved)


def test_an_appeal_sent_twice_is_filed_once(tester, reviewer, clock):
    made = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    once = Once.of(scope="here", key="a", payload=None)
    appeal(tester, made, once=once, answer=lambda _made: (201, {}))
    with pytest.raises(AlreadyAnswered):
        appeal(tester, made, once=once, answer=lambda _made: (201, {}))
    assert Appeal.objects.count() == 1


def test_the_last_day_for_an_appeal_counts_and_the_next_does_not(tester, reviewer, clock):
    first, second = a_submission(tester), a_submission(tester)
    a_decision(reviewer, clock, "declined")
    a_decision(reviewer, clock, "declined")
    clock.advance(days=183, hours=23)
    del tester.__dict__["actor"]  # signed in anew: the session of half a year ago is over
    appeal(tester, first)
    clock.advance(hours=2)
    with pytest.raises(TooLate):
        appeal(tester, second)


def test_after_the_ten_seconds_nothing_is_pressed_over_it_or_handed_back(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    clock.advance(seconds=11)
    with pytest.raises(TookEffect):
        press(reviewer, case, "approved")
    with pytest.raises(TookEffect):
        return_case(actor=reviewer.actor, case_id=cas(case), why="break")
    assert decide_due() == 1
    assert Decision.objects.get().outcome == "declined"


def test_whose_account_was_closed_meanwhile_decides_nothing(tester, reviewer, clock):
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case)
    close_account(person=reviewer.person)
    clock.advance(seconds=11)
    assert decide_due() == 0
    assert not Decision.objects.exists()


def test_signs_that_nobody_sees_are_no_reason(tester, reviewer):
    a_submission(tester)
    with pytest.raises(InvalidOrder) as refused:
        press(reviewer, a_claim_of(reviewer), "declined", reason="\u200b" * 30)
    assert refused.value.code == "reason_too_short"
