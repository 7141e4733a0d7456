"""The desk for programs: by scope and by role, with the lease number in whatever is done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.programmes.models import Role
from core.audit.models import AuditEvent
from core.ids import shown
from review.decisions.commands import decide_due
from review.decisions.models import Decision, Verdict
from review.submissions.models import Case, Skip
from stage.cast import a_member, api_of
from stage.review import REASON, a_claim_of, a_decision, a_full_desk, a_submission, an_appeal, press

pytestmark = pytest.mark.usefixtures("review_open")

CASES = "/api/v1/cases"
DECLINE = {"outcome": "declined", "clause": 1, "reason": REASON, "frames": [[2, 5]]}


def case_id(case):
    return shown("case", case.id)


def one(case, deed=""):
    return f"{CASES}/{case_id(case)}{deed}"


def put_forward(tester, **wanted):
    return Case.objects.get(submission=a_submission(tester, **wanted))


def press_over(member, case, **said):
    wish = {"lease_number": case.lease_number, **DECLINE, **said}
    return member.api.post(one(case, "/verdict"), wish)


# Scope and role --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.TESTER, Role.FINANCE])
def test_for_other_roles_there_is_nothing_whatever_the_token_carries(programme, tester, role):
    case = put_forward(tester)
    other = a_member(programme, role, name="other")
    answers = [
        other.api.get(CASES),
        other.api.get(one(case)),
        other.api.post(f"{CASES}/claim"),
        other.api.post(one(case, "/renew"), {"lease_number": 1}),
        other.api.post(one(case, "/return"), {"why": "unsure"}),
        press_over(other, case),
        other.api.post(one(case, "/verdict/take-back")),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert Case.objects.get().state == "queued"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_managers_and_auditors_read_and_take_nothing(programme, tester, role):
    case = put_forward(tester)
    staff = a_member(programme, role, name="staff")
    (shown_case,) = staff.api.get(CASES).json()["items"]
    assert (shown_case["id"], shown_case["bar"]) == (case_id(case), "no_reviewer")
    assert staff.api.get(one(case)).json()["facts"]["files"] == []
    assert staff.api.post(f"{CASES}/claim").status_code == 404
    assert press_over(staff, case).status_code == 404


def test_reading_and_deciding_are_two_scopes(tester, reviewer):
    case = put_forward(tester)
    reading, deciding = (api_of(reviewer.token(f"cases:{deed}")) for deed in ("read", "decide"))
    assert reading.get(CASES).status_code == 200
    assert reading.post(f"{CASES}/claim").json()["code"] == "wrong_scope"
    assert deciding.get(CASES).status_code == 403
    assert deciding.post(f"{CASES}/claim").json()["case"]["id"] == case_id(case)


def test_a_stranger_and_a_maker_find_nothing(programme, stranger, reviewer):
    both = a_member(programme, Role.REVIEWER, Role.TESTER, name="both")
    elsewhere = a_member(stranger.programme, Role.REVIEWER, name="elsewhere")
    case = put_forward(both)
    for member in (both, elsewhere):
        assert member.api.get(CASES).json()["items"] == []
        assert member.api.get(one(case)).status_code == 404
        assert member.api.post(f"{CASES}/claim").json() == {"case": None}
    assert reviewer.api.get(one(case)).status_code == 200


# The queue -------------------------------------------------------------------------------------


def test_the_queue_says_where_each_case_stands(tester, reviewer, clock):
    first, second = put_forward(tester), put_forward(tester)
    a_claim_of(reviewer)
    clock.advance(hours=60)
    taken, waiting = reviewer.api.get(CASES).json()["items"]
    assert (taken["id"], taken["state"], taken["place"]) == (case_id(first), "claimed", None)
    assert taken["is_yours"]
    assert taken["lease"]["number"] == 1
    assert (waiting["id"], waiting["place"], waiting["lease"]) == (case_id(second), 1, None)
    assert waiting["is_overdue"]
    assert not waiting["is_escalated"]
    assert waiting["bar"] is None


@pytest.mark.django_db(transaction=True)
def test_the_queue_asks_as_much_for_a_thousand_cases_as_for_ten(tester, reviewer, database):
    case = put_forward(tester)
    a_full_desk(database, case, 9)
    reviewer.api.get(CASES)
    with CaptureQueriesContext(connection) as few:
        assert len(reviewer.api.get(f"{CASES}?limit=100").json()["items"]) == 10
    a_full_desk(database, case, 990)
    with CaptureQueriesContext(connection) as many:
        assert len(reviewer.api.get(f"{CASES}?limit=100").json()["items"]) == 100
    assert len(few) == len(many)


@pytest.mark.django_db(transaction=True)
def test_walking_the_queue_shows_every_case_once(tester, reviewer, database):
    case = put_forward(tester)
    a_full_desk(database, case, 24)
    escalated = Case.objects.order_by("-queue_number")[:7]
    for each in escalated:
        Case.objects.filter(id=each.id).update(escalated_at=each.opened_at)
    seen, cursor = [], None
    while True:
        wish = {"limit": 4, **({"cursor": cursor} if cursor else {})}
        page = reviewer.api.get(CASES, wish).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["place"] for item in seen] == list(range(1, 26))
    assert [item["is_escalated"] for item in seen] == [True] * 7 + [False] * 18


# One case --------------------------------------------------------------------------------------


def test_claiming_answers_with_everything_one_judges_by(tester, reviewer):
    case = put_forward(tester, note="The face is a mask.")
    found = reviewer.api.post(f"{CASES}/claim").json()["case"]
    assert found["is_yours"]
    assert found["note"] == "The face is a mask."
    assert [clause["number"] for clause in found["clauses"]] == [1, 2, 3]
    assert found["facts"]["frames"] == 8
    assert found["facts"]["master_sha256"] == case.master_sha256
    kinds = ["index", "master", "poster", "proxy", "sprite"]
    assert [file["kind"] for file in found["facts"]["files"]] == kinds
    assert (found["chain"], found["appeal"], found["verdict"]) == ([], None, None)


def test_an_empty_desk_answers_null(reviewer):
    answer = reviewer.api.post(f"{CASES}/claim")
    assert (answer.status_code, answer.json()) == (200, {"case": None})


def test_a_lease_is_renewed_under_its_number_only(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    clock.advance(minutes=5)
    answer = reviewer.api.post(one(case, "/renew"), {"lease_number": case.lease_number})
    assert answer.status_code == 200
    assert Case.objects.get().lease_until - case.lease_until >= timedelta(minutes=5)
    wrong = reviewer.api.post(one(case, "/renew"), {"lease_number": case.lease_number + 1})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "lease_lost")


def test_a_case_is_handed_back_for_a_reason_of_the_list(tester, reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    wrong = reviewer.api.post(one(case, "/return"), {"why": "bored"})
    assert wrong.json()["errors"][0]["code"] == "choice_unknown"
    answer = reviewer.api.post(one(case, "/return"), {"why": "conflict"})
    assert (answer.json()["state"], answer.json()["bar"]) == ("queued", "declared_conflict")
    assert Skip.objects.get().why == "conflict"


def test_a_verdict_is_pressed_taken_back_and_pressed_again(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    said = press_over(reviewer, case, quotes=["paper boat"]).json()
    assert (said["outcome"], said["clause"]) == ("declined", 1)
    assert said["evidence"] == [
        {"frames": [2, 5], "quote": None},
        {"frames": None, "quote": "paper boat"},
    ]
    assert reviewer.api.get(one(case)).json()["verdict"]["reason"] == REASON
    back = reviewer.api.post(one(case, "/verdict/take-back"))
    assert (back.status_code, back.json()["is_yours"]) == (200, True)
    assert not Verdict.objects.exists()
    assert press_over(reviewer, case).status_code == 200
    clock.advance(seconds=11)
    late = reviewer.api.post(one(case, "/verdict/take-back"))
    assert (late.status_code, late.json()["code"]) == (409, "decision_took_effect")
    assert decide_due() == 1
    (decided,) = reviewer.api.get(one(case)).json()["chain"]
    assert (decided["outcome"], decided["by"], decided["round"]) == ("declined", "reviewer", 1)


def test_a_second_window_replaces_nothing_that_it_has_not_seen(tester, reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    said = press_over(reviewer, case).json()
    other = {"outcome": "approved"}
    refused = press_over(reviewer, case, **other)
    assert (refused.status_code, refused.json()["code"]) == (409, "verdict_stands")
    assert (refused.json()["outcome"], refused.json()["mark"]) == ("declined", said["mark"])
    assert reviewer.api.get(one(case)).json()["verdict"]["mark"] == said["mark"]
    replaced = press_over(reviewer, case, **other, replaces=said["mark"])
    assert (replaced.status_code, replaced.json()["outcome"]) == (200, "approved")
    assert replaced.json()["mark"] != said["mark"]


def test_the_picture_closes_with_the_case_and_the_words_stay(
    tester, reviewer, second_reviewer, auditor, clock
):
    case = put_forward(tester)
    a_decision(reviewer, clock, "declined")
    closed = reviewer.api.get(one(case)).json()
    assert (closed["state"], closed["facts"]["files"]) == ("declined", [])
    assert not AuditEvent.objects.filter(kind="case.read").exists(), "their own decision"
    for _twice in range(2):
        precedent = second_reviewer.api.get(one(case)).json()
        assert precedent["chain"][0]["reason"] == REASON
    clock.advance(minutes=31)
    second_reviewer.api.get(one(case))
    auditor.api.get(one(case))
    noted = AuditEvent.objects.filter(kind="case.read").order_by("at", "xid", "id")
    assert [event.facts["role"] for event in noted] == ["reviewer", "reviewer", "auditor"]
    record = words_of_record(tester, case)
    assert record.count("Read what was written here, after it was closed.") == 3
    assert "An auditor" in record


def words_of_record(tester, case):
    return tester.client.get(
        f"/submissions/{shown('submission', case.submission_id)}"
    ).content.decode()


def test_reading_an_open_case_is_noted_nowhere(tester, reviewer, auditor):
    case = put_forward(tester)
    auditor.api.get(one(case))
    a_claim_of(reviewer)
    auditor.api.get(one(case))
    assert not AuditEvent.objects.filter(kind="case.read").exists()


def test_a_pending_verdict_is_its_reviewers_alone(tester, reviewer, second_reviewer, auditor):
    put_forward(tester)
    case = a_claim_of(reviewer)
    press(reviewer, case, "declined")
    for other in (second_reviewer, auditor):
        found = other.api.get(one(case)).json()
        assert (found["verdict"], found["lease"], found["facts"]["files"]) == (None, None, [])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"clause": None}, "clause_missing"),
        ({"clause": 9}, "clause_missing"),
        ({"reason": "Too short."}, "reason_too_short"),
        ({"frames": []}, "evidence_missing"),
        ({"frames": [[2, 8]]}, "frames_outside_the_clip"),
        ({"frames": [[5, 2]]}, "frames_outside_the_clip"),
        ({"frames": [], "quotes": ["not there"]}, "quote_not_in_the_prompt"),
        ({"outcome": "changes_requested"}, "text_missing"),
        ({"reason": f"{REASON}\u0007"}, "text_invalid"),
    ],
)
def test_a_verdict_that_lacks_what_it_must_have_is_refused(tester, reviewer, said, code):
    put_forward(tester)
    case = a_claim_of(reviewer)
    answer = press_over(reviewer, case, **said)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Verdict.objects.exists()


@pytest.mark.parametrize(
    "said",
    [{"frames": [[1]]}, {"frames": "2-5"}, {"clause": "1"}, {"outcome": "maybe"}, {"mood": "bad"}],
)
def test_a_verdict_of_another_shape_is_refused_by_field(tester, reviewer, said):
    put_forward(tester)
    case = a_claim_of(reviewer)
    answer = press_over(reviewer, case, **said)
    assert (answer.status_code, answer.json()["code"]) == (422, "fields_invalid")


def test_an_appeal_is_judged_by_somebody_else_who_reads_the_answer(
    tester, reviewer, second_reviewer, clock
):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    assert reviewer.api.post(f"{CASES}/claim").json() == {"case": None}
    found = second_reviewer.api.post(f"{CASES}/claim").json()["case"]
    assert (found["kind"], found["round"]) == ("appeal", 2)
    assert found["appeal"] == "The face is a mask; look at frame 3."
    assert found["chain"][0]["reason"] == REASON
    case = Case.objects.get(round=2)
    wish = {"outcome": "approved", "lease_number": case.lease_number}
    missing = second_reviewer.api.post(one(case, "/verdict"), wish)
    assert missing.json()["code"] == "reversal_missing"
    wish["reversal"] = "fact_wrong"
    assert second_reviewer.api.post(one(case, "/verdict"), wish).status_code == 200
    clock.advance(seconds=11)
    assert decide_due() == 1
    assert Decision.objects.get(round=2).reversal == "fact_wrong"
