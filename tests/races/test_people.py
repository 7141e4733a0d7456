"""Coming and leaving while something else goes on."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.administrators.commands import end_administrator
from accounts.administrators.queries import administrators_now
from accounts.arrivals.commands import (
    InvitationGone,
    accept_as_new_person,
)
from accounts.cohorts.commands import end_cohort, make_cohort, seat_member
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.credentials.commands import begin_session
from accounts.invitations import commands as invitations
from accounts.invitations.commands import (
    AlreadyInvited,
    SentAMomentAgo,
    invite_first_administrator,
    invite_person,
    resend_invitation,
    revoke_invitation,
)
from accounts.invitations.models import Invitation
from accounts.people.models import Person
from accounts.programmes.models import Membership, Role
from accounts.programmes.queries import membership_of, parties_with_role
from accounts.quotas.queries import discrepancies
from accounts.roles import commands as roles
from accounts.roles.commands import end_role
from core.errors import Absent, Anonymous, Refusal
from core.outbox.models import OutboxMessage
from generation.jobs import commands as jobs
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from greenroom.offboarding.commands import Ended, offboard_member
from greenroom.offboarding.rules import Why
from stage.builders import a_model, a_wish
from stage.cast import Member, a_member
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SUBMITTERS = 8
MOST_JOBS = 60
WORDS = "a long rehearsal"
EMAIL = "newcomer@example.org"


def committed_at(database: Any, kind: str) -> list[Any]:
    rows = database.superuser.execute(
        "SELECT pg_xact_commit_timestamp(e.xid::text::bigint::text::xid)"
        " FROM core_auditevent e WHERE e.kind = %s",
        [kind],
    ).fetchall()
    return [row[0] for row in rows]


def leave(member: Member, by: Member) -> Ended:
    return offboard_member(
        programme_id=member.programme.id,
        party_id=member.party_id,
        reason=Why.OVER,
        actor=by.actor,
    )


# Leaving and submitting -------------------------------------------------------------------------


def test_no_job_is_committed_after_its_maker_has_left_and_none_is_left_waiting(
    tester, manager, at_once, database
):
    a_model()
    actors = [tester.actor if number % 2 else tester.token_actor() for number in range(SUBMITTERS)]
    assert manager.actor

    def one(number: int) -> Any:
        if number == SUBMITTERS:
            wait_until(lambda: Job.objects.count() > SUBMITTERS)
            return leave(tester, manager)
        for done in range(MOST_JOBS):
            try:
                submit_job(actor=actors[number], wish=a_wish())
            except Refusal:
                return done
        return MOST_JOBS

    *done, ended = at_once(SUBMITTERS + 1, one)
    assert isinstance(ended, Ended), ended
    assert max(done) < MOST_JOBS, "those who hammered kept the leaving waiting"
    assert sum(done) == Job.objects.count() == ended.jobs_cancelled
    (left,) = committed_at(database, "member.ended")
    assert max(committed_at(database, "job.submitted")) < left
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}
    assert discrepancies() == []


def test_control_a_submit_that_only_looks_at_its_credential_is_committed_after_the_leaving(
    tester, manager, at_once, database, monkeypatch
):
    a_model()
    token = tester.token_actor()
    assert manager.actor
    has_looked, has_left = threading.Event(), threading.Event()
    real = jobs.quote

    def only_look(credential_id: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM accounts_credential WHERE id = %s", [credential_id])
            assert cursor.fetchone() == ("active",)

    def slow_quote(*args: Any, **kwargs: Any) -> Any:
        has_looked.set()
        has_left.wait(60)
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "lock_live_credential", only_look)
    monkeypatch.setattr(jobs, "quote", slow_quote)

    def one(number: int) -> Any:
        if number == 0:
            return submit_job(actor=token, wish=a_wish())
        has_looked.wait(60)
        leave(tester, manager)
        has_left.set()
        return None

    assert isinstance(at_once(2, one)[0], Job)
    assert committed_at(database, "job.submitted") > committed_at(database, "member.ended")
    assert Job.objects.get().state == "queued", "it waits for somebody who is gone"


def test_who_signs_in_while_they_leave_comes_after_it(tester, manager, at_once, database):
    """The sign-in holds the person's row from its first look to its commit; leaving takes it."""
    assert manager.actor
    has_person = threading.Event()
    person = Person.objects.get(pk=tester.person.pk)

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                Person.objects.select_for_update().get(pk=person.pk)
                has_person.set()
                wait_until(database.waiting)
                return begin_session(party_id=person.party_id, auth_method="password")
        has_person.wait(60)
        return leave(tester, manager)

    session, ended = at_once(2, one)
    session.refresh_from_db()
    assert ended.credentials == 1
    assert session.state == "expired", "the session that began meanwhile ended, too"


def test_two_managers_who_end_each_other_do_not_both_succeed(programme, at_once):
    both = [a_member(programme, Role.MANAGER, name=f"manager {each}") for each in range(2)]
    assert all(member.actor for member in both)
    outcomes = at_once(2, lambda number: leave(both[number], both[1 - number]))
    assert sum(isinstance(each, Ended) for each in outcomes) == 1, outcomes
    (refused,) = [each for each in outcomes if not isinstance(each, Ended)]
    assert isinstance(refused, Anonymous), refused
    assert len(parties_with_role(programme.id, Role.MANAGER)) == 1


def test_two_who_end_each_other_in_two_programmes_do_not_wait_for_each_other(
    programme, other_programme, at_once
):
    first = a_member(programme, Role.MANAGER, name="first")
    second = a_member(programme, Role.TESTER, name="second")
    elsewhere = Member(second.person, other_programme)
    for member, role in ((first, Role.TESTER), (second, Role.MANAGER)):
        membership = Membership.objects.create(programme=other_programme, party_id=member.party_id)
        membership.grants.create(role=role)
    assert first.actor
    assert elsewhere.actor

    def one(number: int) -> Any:
        if number == 0:
            return leave(second, first)
        return leave(Member(first.person, other_programme), elsewhere)

    outcomes = at_once(2, one)
    assert all(isinstance(each, Ended | Refusal) for each in outcomes), outcomes
    assert sum(isinstance(each, Ended) for each in outcomes) >= 1


def test_of_two_last_managers_who_end_each_others_role_one_stays(programme, at_once):
    both = [a_member(programme, Role.MANAGER, name=f"manager {each}") for each in range(2)]
    assert all(member.actor for member in both)

    def one(number: int) -> None:
        end_role(
            programme_id=programme.id,
            party_id=both[1 - number].party_id,
            role=Role.MANAGER,
            actor=both[number].actor,
        )

    outcomes = at_once(2, one)
    # Who comes second is a manager no more.
    assert [type(each) for each in outcomes if each is not None] == [Absent]
    assert len(parties_with_role(programme.id, Role.MANAGER)) == 1


def test_control_without_the_programmes_lock_both_are_ended(programme, at_once, monkeypatch):
    both = [a_member(programme, Role.MANAGER, name=f"manager {each}") for each in range(2)]
    assert all(member.actor for member in both)
    all_have_asked = threading.Barrier(2)
    real = roles.other_managers

    def ask_together(*args: Any) -> bool:
        answer = real(*args)
        all_have_asked.wait(60)
        return answer

    monkeypatch.setattr(roles, "lock_programme", lambda _id: None)
    monkeypatch.setattr(roles, "other_managers", ask_together)
    at_once(
        2,
        lambda number: end_role(
            programme_id=programme.id,
            party_id=both[1 - number].party_id,
            role=Role.MANAGER,
            actor=both[number].actor,
        ),
    )
    assert not parties_with_role(programme.id, Role.MANAGER).exists()


def test_of_two_administrators_who_end_each_other_one_stays(
    administrator, second_administrator, at_once
):
    both = [administrator, second_administrator]
    assert all(member.actor for member in both)
    outcomes = at_once(
        2,
        lambda number: end_administrator(
            party_id=both[1 - number].party_id, actor=both[number].actor
        ),
    )
    # Who comes second is an administrator no more.
    assert [type(each) for each in outcomes if each is not None] == [Absent]
    assert administrators_now().count() == 1


# Coming -----------------------------------------------------------------------------------------


def test_of_eight_who_invite_one_address_at_once_one_does(programme, at_once):
    outcomes = at_once(
        8,
        lambda _number: invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER),
    )
    assert sum(isinstance(each, Invitation) for each in outcomes) == 1
    assert sum(isinstance(each, AlreadyInvited) for each in outcomes) == 7, outcomes


@pytest.mark.parametrize("round_", range(4))
def test_an_invitation_that_is_taken_and_withdrawn_at_once_goes_one_way(programme, at_once, round_):
    made = invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER)

    def one(number: int) -> Any:
        if number == round_ % 2:
            return accept_as_new_person(invitation_id=made.id, password=WORDS, display_name="")
        return revoke_invitation(invitation_id=made.id)

    outcomes = at_once(2, one)
    made.refresh_from_db()
    came = [each for each in outcomes if isinstance(each, Person)]
    assert bool(came) == Person.objects.filter(email=EMAIL).exists()
    assert bool(came) == (made.accepted_by_id is not None)
    if came:
        assert membership_of(programme.id, came[0].party_id) is not None
    else:
        assert any(isinstance(each, InvitationGone) for each in outcomes), outcomes


def letters_again() -> int:
    return OutboxMessage.objects.filter(kind="invitation.resent").count()


def test_of_four_who_send_it_again_at_once_one_letter_goes(programme, at_once, clock):
    made = invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER)
    clock.advance(minutes=6)
    outcomes = at_once(4, lambda _number: resend_invitation(invitation_id=made.id))
    assert sum(isinstance(each, Invitation) for each in outcomes) == 1
    assert sum(isinstance(each, SentAMomentAgo) for each in outcomes) == 3
    made.refresh_from_db()
    assert (made.number, letters_again()) == (2, 1)


def test_control_without_the_look_the_database_alone_says_no(
    programme, at_once, clock, monkeypatch
):
    made = invite_person(programme_id=programme.id, email=EMAIL, role=Role.TESTER)
    clock.advance(minutes=6)
    monkeypatch.setattr(invitations, "_must_not_hammer", lambda _invitation, _moment: None)
    outcomes = at_once(4, lambda _number: resend_invitation(invitation_id=made.id))
    refused = [str(each) for each in outcomes if isinstance(each, IntegrityError)]
    assert len(refused) == 3
    assert all("sent a moment ago" in each for each in refused)
    assert letters_again() == 1


def send_three_again(programme: Any, at_once: Any, clock: Any) -> list[Any]:
    made = [
        invite_person(programme_id=programme.id, email=f"{number}@example.org", role=Role.TESTER)
        for number in range(3)
    ]
    clock.advance(minutes=6)
    return at_once(3, lambda number: resend_invitation(invitation_id=made[number].id))  # type: ignore[no-any-return]


def test_a_programme_sends_no_more_again_than_its_measure_however_many_press(
    programme, at_once, clock, monkeypatch
):
    monkeypatch.setattr(invitations, "MOST_SENT_AGAIN", 2)
    outcomes = send_three_again(programme, at_once, clock)
    assert sum(isinstance(each, SentAMomentAgo) for each in outcomes) == 1
    assert letters_again() == 2


def test_control_without_the_line_nobody_sees_what_the_others_send(
    programme, at_once, clock, monkeypatch
):
    everybody = threading.Barrier(3)
    real = invitations._must_not_hammer

    def together(*parts: Any) -> None:
        real(*parts)
        everybody.wait(60)

    monkeypatch.setattr(invitations, "MOST_SENT_AGAIN", 2)
    monkeypatch.setattr(invitations, "_hold_place_of", lambda _invitation_id: None)
    monkeypatch.setattr(invitations, "_must_not_hammer", together)
    assert all(isinstance(each, Invitation) for each in send_three_again(programme, at_once, clock))
    assert letters_again() == 3


# Cohorts ---------------------------------------------------------------------------------------


def seat_while_it_ends(programme: Any, tester: Member, at_once: Any, database: Any) -> Cohort:
    """A seat is taken, and committed only once somebody waits to end the cohort."""
    cohort = make_cohort(programme_id=programme.id, name="Spring")
    is_seated = threading.Event()

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                seat_member(cohort_id=cohort.id, party_id=tester.party_id)
                is_seated.set()
                wait_until(database.waiting)
            return None
        is_seated.wait(60)
        return end_cohort(cohort_id=cohort.id)

    assert at_once(2, one) == [None, None]
    return cohort


def open_seats(cohort: Cohort) -> int:
    return CohortSeat.objects.filter(cohort=cohort, ended_at=None).count()


def test_a_seat_that_is_taken_while_its_cohort_ends_ends_with_it(
    programme, tester, at_once, database
):
    cohort = seat_while_it_ends(programme, tester, at_once, database)
    cohort.refresh_from_db()
    assert cohort.ended_at is not None
    assert CohortSeat.objects.filter(cohort=cohort).count() == 1
    assert open_seats(cohort) == 0


def test_control_without_the_law_somebody_sits_in_what_is_over(
    programme, tester, at_once, database
):
    database.superuser.execute("ALTER TABLE accounts_cohort DISABLE TRIGGER cohort_ends")
    try:
        cohort = seat_while_it_ends(programme, tester, at_once, database)
    finally:
        database.superuser.execute("ALTER TABLE accounts_cohort ENABLE TRIGGER cohort_ends")
    assert open_seats(cohort) == 1


def test_of_two_first_administrators_invited_at_once_one_link_opens(db, at_once):
    at_once(2, lambda number: invite_first_administrator(email=f"root{number}@example.org"))
    assert Invitation.objects.filter(programme=None, ended_at=None).count() == 1
