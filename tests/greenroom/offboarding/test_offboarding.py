"""Leaving ends everything that gives access or is under way, and nothing that is finished."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.administrators.commands import LastAdministrator, make_administrator
from accounts.administrators.queries import administrators_now
from accounts.arrivals.commands import InvitationGone, accept_as_new_person
from accounts.cohorts.commands import make_cohort, seat_member
from accounts.cohorts.queries import parties_in_cohort
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.invitations.commands import invite_member
from accounts.invitations.models import Invitation
from accounts.programmes.commands import add_member
from accounts.programmes.models import Membership, Role, RoleGrant
from accounts.programmes.queries import membership_of, roles_in
from accounts.quotas.models import Reservation
from accounts.quotas.queries import discrepancies
from core.audit.models import AuditEvent
from core.errors import Absent, Anonymous
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.clips.models import Clip
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from generation.worker.commands import (
    cancel_running_job,
    claim_next_job,
    hold_running_job,
    lose_attempt,
    renew_lease,
)
from generation.worker.identity import this_worker
from generation.worker.rules import Verdict
from generation.worker.watchdog import _take_from
from greenroom.offboarding.commands import OwnMembership, offboard_everywhere, offboard_member
from greenroom.offboarding.queries import under_way
from greenroom.offboarding.rules import Why
from review.decisions.models import Decision
from review.decisions.models import Verdict as Pressed
from review.submissions.models import Case
from stage.builders import a_claim, a_clip, a_job, a_wish
from stage.cast import a_member, api_of
from stage.review import a_claim_of, a_submission, open_review, press

pytestmark = pytest.mark.django_db


def leave(member, *, by=None, programme=None):
    return offboard_member(
        programme_id=(programme or member.programme).id,
        party_id=member.party_id,
        reason=Why.OVER,
        actor=by.actor if by else None,
    )


def test_everything_that_gives_access_ends_at_once(manager, tester):
    cohort = make_cohort(programme_id=tester.programme.id, name="spring")
    seat_member(cohort_id=cohort.id, party_id=tester.party_id)
    token = tester.token()
    client = tester.client
    assert client.get("/settings").status_code == 200
    ended = leave(tester, by=manager)
    assert (ended.programmes, ended.credentials) == (1, 2)
    assert actor_by_token(token) is None
    assert api_of(token).get("/api/v1/quota").status_code == 401
    assert client.get("/settings").status_code == 302
    assert membership_of(tester.programme.id, tester.party_id) is None
    assert not RoleGrant.objects.filter(
        membership__party_id=tester.party_id, ended_at=None
    ).exists()
    assert list(parties_in_cohort(cohort.id)) == []


def test_one_audit_line_says_who_why_and_from_what_and_the_person_hears(manager, tester):
    leave(tester, by=manager)
    line = AuditEvent.objects.get(kind="member.ended")
    assert line.actor_party_id == manager.party_id
    assert (line.facts["why"], line.facts["roles"]) == ("over", ["tester"])
    said = OutboxMessage.objects.get(kind="member.ended")
    assert (said.party_id, said.subject_id) == (tester.party_id, tester.programme.id)


def test_queued_and_held_jobs_are_cancelled_with_everything_given_back(manager, tester):
    held = a_job(tester, state="held")
    queued = [a_job(tester) for _ in range(3)]
    ended = leave(tester, by=manager)
    assert ended.jobs_cancelled == 4
    for job in (held, *queued):
        job.refresh_from_db()
        assert job.state == "cancelled"
        assert Reservation.objects.get(work_id=job.id).state == "released"
    assert discrepancies() == []


def with_running_job(tester, *, by_token):
    if not by_token:
        return a_claim(tester)
    job = a_job(tester)
    Job.objects.filter(id=job.id).update(vouched_by=tester.token_actor().credential_id)
    claim = claim_next_job(lanes=[job.lane], worker=this_worker())
    assert claim is not None
    return claim


@pytest.mark.parametrize("by_token", [False, True])
def test_a_running_job_is_asked_to_stop_and_ends_cancelled_not_held(manager, tester, by_token):
    claim = with_running_job(tester, by_token=by_token)
    assert leave(tester, by=manager).jobs_stopping == 1
    assert renew_lease(claim, stage="denoise", steps_done=0) is Verdict.CANCEL
    assert cancel_running_job(claim, steps_done=0, device_ms=1)
    assert Job.objects.get().state == "cancelled"
    assert Reservation.objects.get().state == "released"
    assert discrepancies() == []


def test_a_worker_that_had_just_heard_hold_cancels_all_the_same(manager, tester):
    claim = with_running_job(tester, by_token=True)
    leave(tester, by=manager)
    assert hold_running_job(claim, device_ms=1)
    assert Job.objects.get().state == "cancelled"


def test_a_job_whose_worker_died_is_not_taken_up_again(manager, tester):
    claim = with_running_job(tester, by_token=True)
    leave(tester, by=manager)
    claim.job.refresh_from_db()
    _take_from(claim, "worker_died")
    assert Job.objects.get().state == "cancelled"


def test_a_job_that_waits_for_another_try_with_the_wish_to_stop_is_cancelled_when_taken(tester):
    claim = a_claim(tester)
    Job.objects.update(cancel_asked_at=claim.job.queued_at)
    lose_attempt(claim, code="worker_died")
    assert Job.objects.get().state == "queued"
    assert claim_next_job(lanes=[claim.job.lane], worker=this_worker()) is None
    assert Job.objects.get().state == "cancelled"
    assert Reservation.objects.get().state == "released"
    assert discrepancies() == []


def test_nothing_is_submitted_afterwards_by_any_credential(manager, tester):
    session, token = tester.actor, tester.token_actor()
    leave(tester, by=manager)
    for actor in (session, token):
        with pytest.raises(Anonymous):
            submit_job(actor=actor, wish=a_wish())


def test_finished_work_and_submissions_under_way_stay(manager, tester):
    open_review(tester.programme)
    clip = a_clip(tester)
    submission = a_submission(tester, clip)
    leave(tester, by=manager)
    assert Clip.objects.get(id=clip.id).party_id == tester.party_id
    assert Case.objects.get(submission=submission).state == "queued"


def test_other_programmes_go_on_after_signing_in_again(manager, tester, other_programme):
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.REVIEWER])
    leave(tester, by=manager)
    assert roles_in(other_programme.id, tester.party_id) == {"reviewer"}
    tester.person.refresh_from_db()
    assert tester.person.is_active
    assert tester.client.get("/settings").status_code == 200


def test_a_session_that_ended_so_does_not_hold_jobs_of_another_programme(
    manager, tester, other_programme
):
    """Signing out is no suspicion: what was queued elsewhere goes on."""
    leave(tester, by=manager, programme=manager.programme)
    states = set(
        Credential.objects.filter(party_id=tester.party_id, kind="session").values_list(
            "state", flat=True
        )
    )
    assert states <= {"expired"}


# A reviewer --------------------------------------------------------------------------------------


@pytest.fixture
def case_in_hand(tester, reviewer):
    open_review(tester.programme)
    a_submission(tester, a_clip(tester))
    return a_claim_of(reviewer)


def test_a_leaving_reviewer_hands_back_what_they_have_in_hand(manager, reviewer, case_in_hand):
    press(reviewer, case_in_hand)
    assert leave(reviewer, by=manager).cases_returned == 1
    case = Case.objects.get()
    assert (case.state, case.lease_by_id) == ("queued", None)
    assert not Pressed.objects.exists()
    assert not Decision.objects.exists()
    line = AuditEvent.objects.get(kind="case.returned")
    assert line.facts["why"] == "reviewer_left"


@pytest.mark.django_db(transaction=True)
def test_a_verdict_whose_ten_seconds_are_over_is_a_decision(manager, reviewer, case_in_hand, clock):
    press(reviewer, case_in_hand)
    clock.advance(seconds=11)
    assert leave(reviewer, by=manager).cases_returned == 0
    assert Decision.objects.get().reviewer_id == reviewer.party_id
    assert Case.objects.get().state == "approved"


# Who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["second_tester", "reviewer", "finance", "auditor", "stranger"])
def test_only_who_looks_after_the_people_ends_a_membership(request, who, tester):
    with pytest.raises(Absent):
        leave(tester, by=request.getfixturevalue(who))
    assert membership_of(tester.programme.id, tester.party_id) is not None


def test_nobody_ends_their_own_membership(manager):
    with pytest.raises(OwnMembership):
        leave(manager, by=manager)


def test_the_last_manager_leaves_only_by_an_administrator(programme, manager, administrator):
    second = a_member(programme, Role.MANAGER, name="second manager")
    leave(manager, by=second)
    third = a_member(programme, Role.TESTER, Role.MANAGER, name="third")
    leave(second, by=third)
    with pytest.raises(OwnMembership):
        leave(third, by=third)
    leave(third, by=administrator)
    assert membership_of(programme.id, third.party_id) is None


def test_a_membership_ends_once(manager, tester):
    leave(tester, by=manager)
    with pytest.raises(Absent):
        leave(tester, by=manager)


def test_who_is_invited_again_begins_with_nothing_of_before(manager, tester):
    token = tester.token()
    leave(tester, by=manager)
    add_member(programme_id=tester.programme.id, party_id=tester.party_id, roles=[Role.REVIEWER])
    assert roles_in(tester.programme.id, tester.party_id) == {"reviewer"}
    assert actor_by_token(token) is None


def test_before_pressing_one_can_see_what_it_will_end(tester):
    a_job(tester, state="held")
    a_job(tester)
    tester.token()
    found = under_way(tester.programme.id, tester.party_id)
    assert (found.waiting_jobs, found.running_jobs, found.tokens, found.sessions) == (2, 0, 1, 1)


# Everywhere --------------------------------------------------------------------------------------


def test_everywhere_ends_every_membership_and_closes_the_account(
    administrator, tester, other_programme
):
    add_member(programme_id=other_programme.id, party_id=tester.party_id, roles=[Role.TESTER])
    job = a_job(tester)
    ended = offboard_everywhere(
        party_id=tester.party_id, reason=Why.SAFETY, actor=administrator.actor
    )
    assert (ended.programmes, ended.jobs_cancelled) == (2, 1)
    job.refresh_from_db()
    tester.person.refresh_from_db()
    assert (job.state, tester.person.is_active) == ("cancelled", False)
    assert not Membership.objects.filter(party_id=tester.party_id, ended_at=None).exists()
    assert not Credential.objects.filter(party_id=tester.party_id, state="active").exists()


def test_everywhere_is_for_administrators(manager, tester):
    with pytest.raises(Absent):
        offboard_everywhere(party_id=tester.party_id, reason=Why.OVER, actor=manager.actor)


def test_an_administrator_leaves_so_too_but_the_last_one_stays(administrator, tester):
    with pytest.raises(OwnMembership):
        offboard_everywhere(
            party_id=administrator.party_id, reason=Why.OVER, actor=administrator.actor
        )
    make_administrator(party_id=tester.party_id, granted_by=None)
    offboard_everywhere(party_id=tester.party_id, reason=Why.OVER, actor=administrator.actor)
    assert administrators_now().count() == 1
    with pytest.raises(LastAdministrator):
        offboard_everywhere(party_id=administrator.party_id, reason=Why.OVER)


# The other doors ---------------------------------------------------------------------------------


def test_the_command_ends_one_membership_or_all(tester, second_tester, capsys):
    a_job(tester)
    call_command("offboard", tester.email, programme="studio", reason="own_wish")
    assert "Jobs cancelled: 1" in capsys.readouterr().out
    call_command("offboard", second_tester.email, everywhere=True)
    second_tester.person.refresh_from_db()
    assert not second_tester.person.is_active
    for words, said in (
        ({"programme": "studio"}, "not in the programme"),
        ({"programme": "nowhere"}, "no programme"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("offboard", tester.email, **words)


def test_the_api_ends_a_membership(manager, tester):
    address = f"/api/v1/people/{shown('party', tester.party_id)}/offboard"
    assert manager.api.post(address, {"reason": "over"}).json()["programmes"] == 1
    assert manager.api.post(address, {"reason": "over"}).status_code == 404
    assert tester.api.post(address, {"reason": "over"}).status_code == 401


def test_what_a_manager_offered_ends_when_they_leave(manager):
    other = a_member(manager.programme, Role.MANAGER, name="other")
    offered = invite_member(actor=other.actor, email="second@example.org", role=Role.MANAGER)
    leave(other, by=manager)
    with pytest.raises(InvitationGone):
        accept_as_new_person(invitation_id=offered.id, password="a long rehearsal", display_name="")
    assert not Invitation.objects.filter(ended_at=None).exists()
