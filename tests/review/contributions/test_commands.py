"""What testers say beside clips, and the answer to it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.notices.models import Notice
from accounts.programmes.models import Role
from accounts.rates.rules import ActKind
from core.audit.models import AuditEvent
from core.errors import Absent, AgreementMissing, InvalidOrder, NotAllowed, TooLate, WrongScope
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from core.money import MICRO
from core.outbox.commands import deliver
from review.contributions.commands import (
    OwnContribution,
    file_contribution,
    triage_contribution,
)
from review.contributions.models import Contribution
from review.contributions.rules import DeclineReason, State
from review.ledger.models import Act, LedgerTransaction
from review.ledger.queries import ledger_discrepancies, owed_to
from stage.builders import a_clip
from stage.cast import a_member
from stage.money import ANSWER, REASON, a_contribution, a_contribution_wish, a_rate, an_earning

pytestmark = pytest.mark.django_db


def triage(member: Any, contribution: Contribution, **answer: Any) -> Contribution:
    return triage_contribution(
        actor=member.actor,
        contribution_id=shown("contribution", contribution.id),
        **({"accept": True} | answer),
    )


def decline(member: Any, contribution: Contribution, **more: Any) -> Contribution:
    usual = {"accept": False, "decline_reason": REASON, "answer": ANSWER}
    return triage(member, contribution, **(usual | more))


def owed_micro(member: Any) -> int:
    return owed_to(member.party_id, member.programme.id).left.amount_micro


def test_a_contribution_keeps_the_rate_of_its_filing(tester, reviewer, clock):
    clock.stop()
    assert reviewer.actor.roles
    assert tester.actor.is_portal
    first = a_rate(tester.programme.id, 25 * MICRO)
    contribution = a_contribution(tester)
    clock.advance(hours=1)
    a_rate(tester.programme.id, 5 * MICRO)
    assert triage(reviewer, contribution).state == State.ACCEPTED
    assert contribution.rate_id == first.id
    assert owed_micro(tester) == 25 * MICRO
    later = an_earning(tester, reviewer)
    assert later.rate.amount_micro == 5 * MICRO
    assert owed_micro(tester) == 30 * MICRO
    assert ledger_discrepancies() == []


def test_without_a_rate_it_is_filed_and_accepted_and_earns_nothing(tester, reviewer):
    contribution = an_earning(tester, reviewer)
    assert contribution.rate is None
    assert contribution.state == State.ACCEPTED
    assert not LedgerTransaction.objects.exists()


def test_a_rate_of_zero_pays_nothing(tester, reviewer):
    a_rate(tester.programme.id, 0)
    assert an_earning(tester, reviewer).rate is not None
    assert not Act.objects.exists()


def test_each_kind_has_its_own_rate(tester, reviewer):
    a_rate(tester.programme.id, 100 * MICRO, ActKind.RED_TEAM_FINDING)
    a_rate(tester.programme.id, 5 * MICRO, ActKind.FEEDBACK)
    an_earning(tester, reviewer, kind="red_team_finding")
    an_earning(tester, reviewer, kind="feedback")
    an_earning(tester, reviewer, kind="bug_report")
    assert owed_micro(tester) == 105 * MICRO


def test_it_may_be_about_frames_of_a_clip_of_ones_own(tester):
    clip = a_clip(tester)
    contribution = a_contribution(tester, clip=shown("clip", clip.id), frame_from=2, frame_to=7)
    assert (contribution.clip_id, contribution.frame_from, contribution.frame_to) == (clip.id, 2, 7)
    one = a_contribution(tester, clip=shown("clip", clip.id), frame_from=3)
    assert (one.frame_from, one.frame_to) == (3, 3)


def test_somebody_elses_clip_is_absent(tester, second_tester):
    clip = a_clip(second_tester)
    for wanted in (shown("clip", clip.id), "clp_nothing"):
        with pytest.raises(Absent):
            a_contribution(tester, clip=wanted)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ({"frame_from": 0, "frame_to": 8}, "frames_outside_the_clip"),
        ({"frame_from": 5, "frame_to": 4}, "frames_outside_the_clip"),
        ({"frame_from": -1}, "frames_outside_the_clip"),
    ],
)
def test_frames_lie_within_the_clip(tester, frames, code):
    clip = shown("clip", a_clip(tester).id)
    with pytest.raises(InvalidOrder) as refused:
        a_contribution(tester, clip=clip, **frames)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"kind": "release"}, "kind_unknown"),
        ({"title": " "}, "title_invalid"),
        ({"title": "x" * 121}, "title_invalid"),
        ({"title": "two\nlines"}, "title_invalid"),
        ({"words": "\n"}, "words_invalid"),
        ({"words": "x" * 8001}, "words_invalid"),
        ({"words": "a\x00b"}, "words_invalid"),
        ({"frame_from": 1}, "frames_without_clip"),
    ],
)
def test_what_says_nothing_is_refused(tester, wanted, code):
    with pytest.raises(InvalidOrder) as refused:
        a_contribution(tester, **wanted)
    assert refused.value.code == code
    assert not Contribution.objects.exists()


def test_only_testers_with_an_agreement_file(programme, tester, reviewer):
    with pytest.raises(NotAllowed):
        a_contribution(reviewer)
    newcomer = a_member(programme, Role.TESTER, name="newcomer", has_accepted=False)
    with pytest.raises(AgreementMissing):
        a_contribution(newcomer)
    with pytest.raises(WrongScope):
        file_contribution(
            actor=tester.token_actor("contributions:read"), wish=a_contribution_wish()
        )


def test_a_form_sent_twice_files_once(tester):
    once = Once.of(scope="contribution", key="k", payload=None)
    facts: dict[str, Any] = {
        "actor": tester.actor,
        "wish": a_contribution_wish(),
        "once": once,
        "answer": lambda made: (201, shown("contribution", made.id)),
    }
    first = file_contribution(**facts)
    with pytest.raises(AlreadyAnswered) as again:
        file_contribution(**facts)
    assert again.value.body == shown("contribution", first.id)


def test_an_answer_is_given_once(tester, reviewer, manager):
    a_rate(tester.programme.id)
    contribution = a_contribution(tester)
    triage(manager, contribution)
    with pytest.raises(TooLate):
        decline(reviewer, contribution)
    with pytest.raises(TooLate):
        triage(reviewer, contribution)
    assert Act.objects.count() == 1


def test_whoever_declines_says_why_in_words_and_by_the_list(tester, reviewer):
    a_rate(tester.programme.id)
    contribution = a_contribution(tester)
    for wrong, code in [
        ({"decline_reason": "criticism"}, "decline_reason_unknown"),
        ({"decline_reason": ""}, "decline_reason_unknown"),
        ({"answer": "No.                      "}, "answer_too_short"),
        ({"answer": "x" * 8001}, "answer_invalid"),
    ]:
        with pytest.raises(InvalidOrder) as refused:
            decline(reviewer, contribution, **wrong)
        assert refused.value.code == code
    declined = decline(reviewer, contribution)
    assert (declined.state, declined.decline_reason, declined.answer) == (
        State.DECLINED,
        REASON,
        ANSWER,
    )
    assert owed_micro(tester) == 0


def test_criticism_is_not_a_reason_to_decline():
    assert not [reason for reason in DeclineReason.values if "critic" in reason]


def test_nobody_answers_their_own(programme):
    both = a_member(programme, Role.TESTER, Role.REVIEWER, name="both")
    contribution = a_contribution(both)
    with pytest.raises(OwnContribution):
        triage(both, contribution)
    assert Contribution.objects.get().state == State.FILED


@pytest.mark.parametrize("who", ["tester", "second_tester", "finance", "auditor", "stranger"])
def test_who_is_not_of_the_desk_answers_nothing(tester, request, who):
    contribution = a_contribution(tester)
    with pytest.raises(Absent):
        triage(request.getfixturevalue(who), contribution)


def test_a_reviewer_of_another_programme_answers_nothing_here(tester, other_programme):
    theirs = a_member(other_programme, Role.REVIEWER, name="their reviewer")
    with pytest.raises(Absent):
        triage(theirs, a_contribution(tester))


def test_an_accepted_contribution_rests_on_the_agreement_of_its_day(tester, reviewer, clock):
    clock.stop()
    assert reviewer.actor.roles
    assert tester.actor.is_portal
    a_rate(tester.programme.id)
    contribution = a_contribution(tester)
    clock.advance(days=1)
    publish_agreement(programme_id=tester.programme.id, text="New terms.", summary="New.")
    triage(reviewer, contribution)
    assert Act.objects.get().acceptance.version.number == 1


@pytest.mark.django_db(transaction=True)
def test_both_answers_are_told_to_the_maker(tester, reviewer):
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    decline(reviewer, a_contribution(tester))
    deliver("notices")
    kinds = Notice.objects.filter(party=tester.party).values_list("kind", flat=True)
    assert {"contribution.accepted", "contribution.declined"} <= set(kinds)
    recorded = AuditEvent.objects.filter(kind__startswith="contribution.")
    assert sorted(recorded.values_list("kind", flat=True)) == [
        "contribution.accepted",
        "contribution.declined",
        "contribution.filed",
        "contribution.filed",
    ]
