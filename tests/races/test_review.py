"""One case, wanted by many: who takes it, who decides it, and whether it was put forward at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, transaction
from invariants.deeds import FREE, Statement, again, clone

from accounts.programmes.models import Role
from core.audit.models import AuditEvent
from core.errors import TooLate
from core.ids import new_id, shown
from greenroom.embedded.roles import APP, SUPERUSER
from review.credits.rules import DisplayForm
from review.decisions import commands as decisions
from review.decisions.commands import decide, decide_due
from review.decisions.models import Decision, Verdict
from review.desk.commands import claim_next_case
from review.submissions import commands as submissions
from review.submissions.commands import AlreadySubmitted, submit_clip, withdraw_submission
from review.submissions.models import Case, Submission
from stage.builders import a_clip
from stage.cast import Member, a_member
from stage.clock import Clock
from stage.database import Database
from stage.review import a_claim_of, a_submission, open_review, press
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CROWD = 32
DESK = 8
LEASES_EACH = 3
WAITING = 60
SUBMITTERS = 12
ROUNDS = 6
AtOnce = Callable[..., list[Any]]


@pytest.fixture
def studio(programme: Any) -> Any:
    open_review(programme)
    return programme


def reviewers(programme: Any, how_many: int) -> list[Member]:
    """Each signed in already, so that only the deed itself is raced."""
    made = [a_member(programme, Role.REVIEWER, name=f"judge {n}") for n in range(how_many)]
    assert all(each.actor.is_portal for each in made)
    return made


def a_due_case(tester: Member, reviewer: Member, clock: Clock) -> Case:
    """Claimed, with a verdict whose ten seconds are over."""
    a_submission(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    clock.advance(seconds=11)
    return case


# Deciding ----------------------------------------------------------------------------------------


def assert_decided_once(case: Case) -> None:
    decision = Decision.objects.get(case=case)
    assert Case.objects.get(id=case.id).state == decision.outcome
    assert decision.evidence.count() == 1
    assert AuditEvent.objects.filter(kind="case.decided").count() == 1
    assert not Verdict.objects.filter(case=case).exists()


def test_of_thirty_two_deciders_one_decides(studio, tester, reviewer, clock, at_once):
    case = a_due_case(tester, reviewer, clock)
    outcomes = at_once(CROWD, lambda _number: decide(case.id))
    assert sorted(outcomes) == [False] * (CROWD - 1) + [True]
    assert_decided_once(case)


def test_control_who_looks_first_and_decides_then_is_thrown_out_by_the_database(
    studio, tester, reviewer, clock, at_once
):
    case = a_due_case(tester, reviewer, clock)
    all_have_looked = threading.Barrier(DESK)

    def naive(_number: int) -> bool:
        with transaction.atomic():
            found = Case.objects.get(id=case.id, state="claimed")
            verdict = Verdict.objects.get(case=found)
            all_have_looked.wait(60)
            decisions._decide(found, verdict)
        return True

    outcomes = at_once(DESK, naive)
    assert outcomes.count(True) == 1
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == DESK - 1, outcomes
    assert_decided_once(case)


def decided_by_hand(case: Case) -> list[str]:
    return [
        (
            "INSERT INTO review_decision SELECT d.* FROM review_case c"
            " JOIN review_verdict v ON v.case_id = c.id,"
            " jsonb_populate_record(NULL::review_decision, to_jsonb(c) || to_jsonb(v) ||"
            f" jsonb_build_object('id', core_new_id(), 'case_id', c.id, 'decided_at', core_now(),"
            f" 'xid', pg_current_xact_id()::text)) d WHERE c.id = '{case.id}'"
        ),
        (
            "INSERT INTO review_evidence (id, decision_id, frame_from, frame_to)"
            f" SELECT core_new_id(), id, 0, 1 FROM review_decision WHERE case_id = '{case.id}'"
        ),
        (
            "UPDATE review_case SET state = 'declined', closed_at = core_now(), lease_by_id = NULL,"
            f" lease_until = NULL, lease_slot = NULL WHERE id = '{case.id}'"
        ),
    ]


def test_of_thirty_two_decisions_written_by_hand_one_is_kept(
    studio, tester, reviewer, clock, database, at_once
):
    """All of them have seen the case claimed and undecided before the first one writes."""
    case = a_due_case(tester, reviewer, clock)
    all_have_looked = threading.Barrier(CROWD)

    def by_hand(_number: int) -> str:
        with database.connect(APP) as hand:
            seen = hand.execute("SELECT state FROM review_case WHERE id = %s", [case.id]).fetchone()
            assert seen == ("claimed",)
            all_have_looked.wait(60)
            try:
                for sql in decided_by_hand(case):
                    hand.execute(sql)
                hand.commit()
            except psycopg.errors.IntegrityError as refused:
                return str(refused.diag.constraint_name)
            return "kept"

    outcomes = at_once(CROWD, by_hand)
    assert outcomes.count("kept") == 1, outcomes
    assert set(outcomes) <= {
        "kept",
        "review_decision_case_id_key",
        "nobody_decides_twice_in_a_chain",
        "a_decision_is_its_lease_holders",
        # The first one took the verdict with it, before this one asked for it.
        "a_decision_is_a_verdict_that_is_due",
        # Nothing was there to insert from any more, and evidence came late.
        "evidence_comes_with_its_decision",
    }
    assert Decision.objects.count() == 1


# Taking ------------------------------------------------------------------------------------------


def test_of_thirty_two_reviewers_one_gets_the_case(studio, tester, at_once):
    waiting = a_submission(tester).cases.get()
    desk = reviewers(studio, CROWD)
    outcomes = at_once(CROWD, lambda number: claim_next_case(actor=desk[number].actor))
    taken = [(number, case) for number, case in enumerate(outcomes) if case is not None]
    ((number, case),) = taken
    assert (case.id, case.lease_by_id) == (waiting.id, desk[number].party_id)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.lease_number) == ("claimed", 1)
    assert AuditEvent.objects.filter(kind="case.claimed").count() == 1


def test_control_without_the_statement_and_the_triggers_all_believe_they_have_it(
    studio, tester, database, at_once
):
    waiting = a_submission(tester).cases.get()
    desk = reviewers(studio, DESK)
    all_have_looked = threading.Barrier(DESK)

    def naive(number: int) -> bool:
        with without_triggers(database) as careless:
            seen = careless.execute("SELECT state FROM review_case").fetchone()
            all_have_looked.wait(60)
            careless.execute(
                "UPDATE review_case SET state = 'claimed', lease_by_id = %s, lease_slot = 1,"
                " lease_until = core_now(), lease_number = 1 WHERE id = %s",
                [desk[number].party_id, waiting.id],
            )
            return seen == ("queued",)

    assert at_once(DESK, naive) == [True] * DESK


def test_eight_reviewers_drain_the_desk_and_no_case_is_served_twice_or_lost(
    studio, tester, second_tester, clock, at_once
):
    for number in range(WAITING):
        a_submission((tester, second_tester)[number % 2])
    desk = reviewers(studio, DESK)

    def take_and_press(number: int) -> list[UUID]:
        taken = []
        for _ in range(LEASES_EACH):
            case = claim_next_case(actor=desk[number].actor)
            if case is not None:
                press(desk[number], case)
                taken.append(case.id)
        return taken

    served: list[UUID] = []
    while Case.objects.filter(state="queued").exists():
        for answer in at_once(DESK, take_and_press):
            assert isinstance(answer, list), answer
            served += answer
        clock.advance(seconds=11)
        decide_due()
    assert len(served) == len(set(served)) == WAITING
    assert Case.objects.filter(state="approved").count() == WAITING
    assert Decision.objects.count() == WAITING


def test_control_who_looks_for_the_head_first_looks_at_the_same_one(studio, tester, at_once):
    for _ in range(DESK):
        a_submission(tester)
    desk = reviewers(studio, DESK)
    all_have_looked = threading.Barrier(DESK)

    def naive(number: int) -> bool:
        head = Case.objects.filter(state="queued").order_by("fair_tag", "queue_number")[0]
        all_have_looked.wait(60)
        return bool(
            Case.objects.filter(id=head.id, state="queued").update(
                state="claimed",
                lease_by_id=desk[number].party_id,
                lease_slot=1,
                lease_until=head.due_at,
                lease_number=1,
            )
        )

    outcomes = at_once(DESK, naive)
    assert outcomes.count(True) == 1, "seven went away with nothing, and seven cases wait"


# Withdrawing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_case_is_withdrawn_or_decided_and_never_both(
    studio, tester, reviewer, clock, at_once, round_
):
    case = a_due_case(tester, reviewer, clock)
    actor = tester.actor
    submission_id = shown("submission", case.submission_id)

    def end(number: int) -> Any:
        if number == round_ % 2:
            return decide(case.id)
        return withdraw_submission(actor=actor, submission_id=submission_id)

    outcomes = at_once(2, end)
    decided = outcomes[round_ % 2]
    withdrawn = outcomes[1 - round_ % 2]
    case.refresh_from_db()
    assert decided is (case.state == "declined")
    assert Decision.objects.filter(case=case).exists() is decided
    assert AuditEvent.objects.filter(kind="submission.withdrawn").exists() is not decided
    if decided:
        assert isinstance(withdrawn, TooLate)
    else:
        assert isinstance(withdrawn, Submission)
        assert case.state == "withdrawn"


def test_control_without_the_lock_and_the_triggers_it_is_both(
    studio, tester, reviewer, clock, database, at_once
):
    case = a_due_case(tester, reviewer, clock)
    both_have_looked = threading.Barrier(2)

    def naive(number: int) -> Any:
        with without_triggers(database) as careless:
            seen = careless.execute("SELECT state FROM review_case").fetchone()
            both_have_looked.wait(60)
            if number == 0:
                careless.execute(decided_by_hand(case)[0])
            else:
                careless.execute(
                    "UPDATE review_case SET state = 'withdrawn', closed_at = core_now(),"
                    " lease_by_id = NULL, lease_until = NULL, lease_slot = NULL"
                )
            return seen

    assert at_once(2, naive) == [("claimed",), ("claimed",)]
    case.refresh_from_db()
    assert case.state == "withdrawn"
    assert Decision.objects.filter(case=case, outcome="declined").exists()


# Putting forward ---------------------------------------------------------------------------------


def submit_at_once(tester: Member, at_once: AtOnce) -> list[Any]:
    clip, actor = shown("clip", a_clip(tester).id), tester.actor
    form = DisplayForm.NONE
    return at_once(
        SUBMITTERS, lambda _number: submit_clip(actor=actor, clip_id=clip, display_form=form)
    )


def test_a_clip_put_forward_twelve_times_at_once_has_one_open_case(studio, tester, at_once):
    outcomes = submit_at_once(tester, at_once)
    assert sum(isinstance(each, Submission) for each in outcomes) == 1, outcomes
    assert sum(isinstance(each, AlreadySubmitted) for each in outcomes) == SUBMITTERS - 1
    assert (Case.objects.count(), Submission.objects.count()) == (1, 1)
    assert AuditEvent.objects.filter(kind="submission.sealed").count() == 1


def test_control_out_of_line_all_find_it_new_and_only_the_database_says_no(
    studio, tester, at_once, monkeypatch
):
    all_have_looked = threading.Barrier(SUBMITTERS)
    real = submissions._must_be_new

    def together(*arguments: Any) -> None:
        real(*arguments)
        all_have_looked.wait(60)

    monkeypatch.setattr(submissions, "keep_files", lambda **_: None)  # a line of its own
    monkeypatch.setattr(submissions, "stand_in_line", lambda *_: None)
    monkeypatch.setattr(submissions, "_must_be_new", together)
    outcomes = submit_at_once(tester, at_once)
    assert sum(isinstance(each, Submission) for each in outcomes) == 1, outcomes
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == SUBMITTERS - 1, outcomes
    assert Case.objects.count() == 1


def put_forward_once_more(case: Case) -> list[Statement]:
    """The same bytes in a new submission, whole and by hand."""
    facts = {"state": "queued", "lease_by_id": None, "lease_until": None, "lease_slot": None}
    return [
        *again("review_submission", f"id = '{case.submission_id}'", id=FREE),
        *clone(
            "review_sealedperson", f"submission_id = '{case.submission_id}'", submission_id=FREE
        ),
        *again(
            "review_case",
            f"id = '{case.id}'",
            written="'due_at', core_now() + interval '48 hours'",
            submission_id=FREE,
            queue_number=new_id().int >> 66,
            closed_at=None,
            **facts,
        ),
    ]


def reopen_from_an_old_picture(case: Case, database: Database) -> str:
    """Whoever took their picture before the decision does not see it at their commit."""
    with database.connect(APP) as late:
        late.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert late.execute("SELECT count(*) FROM review_decision").fetchone() == (0,)
        assert decide(case.id)
        try:
            for sql, values in put_forward_once_more(case):
                late.execute(sql, values)
            late.commit()
        except psycopg.errors.RestrictViolation as refused:
            return str(refused.diag.constraint_name)
    return "reopened"


@pytest.fixture
def unguarded(database: Database) -> Iterator[None]:
    guard = "review_must_see_what_was_committed()"
    row = database.superuser.execute(
        "SELECT pg_get_functiondef(%s::regprocedure)", [guard]
    ).fetchone()
    assert row is not None
    database.superuser.execute(
        f"CREATE OR REPLACE FUNCTION {guard} RETURNS void LANGUAGE sql AS 'SELECT'"
    )
    yield
    database.superuser.execute(row[0])


def test_what_is_decided_meanwhile_is_not_reopened(studio, tester, reviewer, clock, database):
    case = a_due_case(tester, reviewer, clock)
    refused_by = reopen_from_an_old_picture(case, database)
    assert refused_by == "nothing_is_judged_by_an_old_picture"
    assert Case.objects.count() == 1


def test_control_an_old_picture_reopens_what_is_decided_where_nobody_asks_for_it(
    studio, tester, reviewer, clock, database, unguarded
):
    case = a_due_case(tester, reviewer, clock)
    assert reopen_from_an_old_picture(case, database) == "reopened"
    assert Case.objects.count() == 2


def test_who_begins_later_waits_for_the_decision_and_then_sees_it(
    studio, tester, reviewer, clock, database, at_once
):
    """The second case waits for the first one's commit by its uniqueness, then asks."""
    case = a_due_case(tester, reviewer, clock)
    is_written = threading.Event()

    def one(number: int) -> str:
        with database.connect(APP) as hand:
            statements: list[Statement] = (
                [(sql, {}) for sql in decided_by_hand(case)]
                if number == 0
                else put_forward_once_more(case)
            )
            if number == 1:
                is_written.wait(60)
            try:
                for sql, values in statements:
                    hand.execute(sql, values)
                if number == 0:
                    is_written.set()
                    wait_until(database.waiting)
                hand.commit()
            except psycopg.errors.RestrictViolation as refused:
                return str(refused.diag.constraint_name)
        return "kept"

    assert at_once(2, one) == ["kept", "what_was_decided_is_not_reopened"]


def without_triggers(database: Database) -> psycopg.Connection[Any]:
    careless = database.connect(SUPERUSER)
    careless.execute("SET session_replication_role = replica")
    return careless
