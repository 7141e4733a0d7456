"""The desk in the portal: who sees what, what a press does, and that nothing typed is lost."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.programmes.models import Role
from core.ids import shown
from generation.clips.models import Viewing
from generation.clips.queries import clip_for
from review.credits.commands import name_person
from review.decisions.commands import decide_due
from review.decisions.models import Decision, Verdict
from review.desk.commands import claim_next_case, escalate_overdue, return_case
from review.submissions.commands import withdraw_submission
from review.submissions.models import Case, Skip
from stage.builders import a_clip
from stage.cast import a_member
from stage.review import REASON, a_claim_of, a_decision, a_full_desk, a_submission, an_appeal, press

pytestmark = pytest.mark.usefixtures("review_open")

DECLINE = {
    "outcome": "declined",
    "clause": "1",
    "reason": REASON,
    "remedy": "",
    "frame_from": ["2", "", ""],
    "frame_to": ["5", "", ""],
    "quote": ["", ""],
}
LINKS = r"/desk/cases/cas_\w+"


def page(member, path="/desk", status=200):
    answer = member.client.get(path)
    assert answer.status_code == status, answer.content.decode()
    return words_of(answer)


def words_of(answer):
    return unescape(answer.content.decode())


def address(case, deed=""):
    return f"/desk/cases/{shown('case', case.id)}{deed}"


def pressed(member, case, **said):
    wish = {"lease_number": case.lease_number, **DECLINE, **said}
    return member.client.post(address(case, "/verdict"), wish)


def put_forward(tester, **wanted):
    return Case.objects.get(submission=a_submission(tester, **wanted))


def now_of(case):
    return Case.objects.get(id=case.id)


# Who sees the desk -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.TESTER, Role.FINANCE])
def test_for_other_roles_there_is_no_desk(programme, tester, role):
    case = put_forward(tester)
    other = a_member(programme, role, name="other")
    page(other, "/desk", 404)
    page(other, address(case), 404)
    deeds = ("/verdict", "/verdict/take-back", "/return", "/renew")
    for path in ("/desk/next", *(address(case, deed) for deed in deeds)):
        assert other.client.post(path).status_code == 404
    assert now_of(case).state == "queued"


def test_a_stranger_finds_nothing_and_nobody_is_asked_to_sign_in(programme, stranger, tester):
    case = put_forward(tester)
    elsewhere = a_member(stranger.programme, Role.REVIEWER, name="elsewhere")
    page(stranger, address(case), 404)
    page(elsewhere, address(case), 404)
    assert "The desk is clear." in page(elsewhere)
    tester.client.logout()
    assert tester.client.get("/desk").headers["location"].startswith("/account/login/")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_managers_and_auditors_read_and_take_nothing(programme, tester, role):
    case = put_forward(tester, note="A mask.")
    staff = a_member(programme, role, name="staff")
    assert "Take the next one" not in page(staff)
    said = page(staff, address(case))
    assert "A mask." in said
    assert "It waits, decision due" in said
    assert "Say why and open the clip" in said
    assert "<video" not in said
    assert "Decide" not in said
    assert staff.client.post("/desk/next").status_code == 404
    assert pressed(staff, case).status_code == 404
    assert now_of(case).state == "queued"


def test_ones_own_work_is_not_on_ones_desk(programme, reviewer):
    both = a_member(programme, Role.REVIEWER, Role.TESTER, name="both")
    case = put_forward(both)
    assert "The desk is clear." in page(both)
    page(both, address(case), 404)
    assert address(case) in page(reviewer)


# The queue -------------------------------------------------------------------------------------


def test_the_queue_stands_in_the_order_in_which_cases_are_given(tester, second_tester, reviewer):
    for member in (tester, tester, second_tester):
        put_forward(member)
    order = re.findall(LINKS, page(reviewer))
    given = [address(claim_next_case(actor=reviewer.actor)) for _each in range(3)]
    assert order == given


def test_what_escalated_stands_first_and_says_that_it_is_late(
    tester, second_tester, reviewer, clock
):
    put_forward(tester)
    early = put_forward(tester)
    put_forward(second_tester)
    Case.objects.filter(id=early.id).update(escalated_at=early.opened_at)
    assert re.findall(LINKS, page(reviewer))[0] == address(early)
    assert "late: was due" not in page(reviewer)
    clock.advance(hours=60)
    assert escalate_overdue() == 2
    said = page(reviewer)
    assert said.count("late: was due") == 3
    assert re.search(r'Late</dt><dd class="figure">3<', said)
    order = re.findall(LINKS, said)
    given = [address(claim_next_case(actor=reviewer.actor)) for _each in range(3)]
    assert order == given


def test_places_count_ones_own_work_too(programme, tester, reviewer):
    both = a_member(programme, Role.REVIEWER, Role.TESTER, name="both")
    put_forward(both)
    second = put_forward(tester)
    said = page(both)
    assert re.findall(LINKS, said) == [address(second)]
    assert '<span class="place figure">2</span>' in said
    assert '<span class="place figure">1</span>' in page(reviewer)


def test_a_row_says_why_it_is_not_for_its_reader(tester, reviewer, second_reviewer, clock):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    assert "Not for you: you decided in this chain" in page(reviewer)
    assert "Not for you" not in page(second_reviewer)

    clip = a_clip(tester, seed=77)
    party = shown("party", second_reviewer.party_id)
    name_person(actor=tester.actor, clip_id=shown("clip", clip.id), party=party, role="composer")
    a_submission(tester, clip)
    assert "Not for you: you took part in it" in page(second_reviewer)


@pytest.mark.parametrize(
    ("why", "words"),
    [("unsure", "You handed it back"), ("conflict", "Not for you: you know whoever made it")],
)
def test_a_row_says_that_its_reader_handed_it_back(tester, reviewer, why, words):
    case = put_forward(tester)
    a_claim_of(reviewer)
    return_case(actor=reviewer.actor, case_id=shown("case", case.id), why=why)
    assert words in page(reviewer)
    answer = reviewer.client.post("/desk/next", follow=True)
    assert "Nothing waits that you may judge" in words_of(answer)


def test_pictures_of_what_waits_are_not_on_the_page(tester, reviewer):
    case = put_forward(tester)
    assert "/media/" not in page(reviewer)
    assert not Viewing.objects.exists()
    a_claim_of(reviewer)
    poster = case.chain.renditions.get(kind="poster")
    assert f"/media/{shown('rendition', poster.id)}" in page(reviewer)


@pytest.mark.django_db(transaction=True)
def test_the_desk_asks_as_much_for_a_thousand_cases_as_for_ten(tester, reviewer, database):
    case = put_forward(tester)
    a_full_desk(database, case, 9)
    page(reviewer)
    with CaptureQueriesContext(connection) as few:
        assert page(reviewer).count('class="words"') == 10
    a_full_desk(database, case, 990)
    with CaptureQueriesContext(connection) as many:
        assert page(reviewer).count('class="words"') == 50
    assert Case.objects.count() == 1000
    assert len(few) == len(many)


@pytest.mark.django_db(transaction=True)
def test_turning_pages_shows_every_case_once_and_in_order(tester, reviewer, database, clock):
    case = put_forward(tester)
    a_full_desk(database, case, 119)
    late = list(Case.objects.order_by("-queue_number")[:3])
    for each in late:
        Case.objects.filter(id=each.id).update(escalated_at=each.opened_at)
    seen, path, sizes = [], "/desk", []
    while path:
        said = page(reviewer, path)
        rows = re.findall(LINKS, said)
        seen, sizes = seen + rows, [*sizes, len(rows)]
        more = re.search(r'href="(\?cursor=[^"]+)"', said)
        path = f"/desk{more.group(1)}" if more else None
    assert sizes == [50, 50, 20]
    assert len(set(seen)) == 120
    assert set(seen[:3]) == {address(each) for each in late}
    assert '<span class="place figure">101</span>' in said


# Taking a case ---------------------------------------------------------------------------------


def test_taking_the_next_one_opens_it_with_its_picture(tester, reviewer):
    case = put_forward(tester, note="The face is a mask.")
    answer = reviewer.client.post("/desk/next")
    assert answer.headers["location"] == address(case)
    said = page(reviewer, address(case))
    master = case.chain.renditions.get(kind="master")
    assert f'src="/media/{shown("rendition", master.id)}"' in said
    assert "The face is a mask." in said
    assert "9 minutes left" in said or "10 minutes left" in said
    assert clip_for(reviewer.actor, shown("clip", case.chain_id)) == case.chain
    assert "2 of 3" not in page(reviewer)
    assert "1 of 3" in page(reviewer)


def test_an_empty_desk_says_so(reviewer):
    answer = reviewer.client.post("/desk/next", follow=True)
    assert "Nothing waits at the moment. The desk is clear." in words_of(answer)


def test_nobody_has_more_than_three_in_hand(tester, reviewer):
    for _each in range(4):
        put_forward(tester)
    for _each in range(3):
        reviewer.client.post("/desk/next")
    answer = reviewer.client.post("/desk/next", follow=True)
    assert "You have three cases in hand" in words_of(answer)
    assert Case.objects.filter(state="claimed").count() == 3


def test_a_case_in_other_hands_says_whose_by_role_and_until_when(tester, reviewer, second_reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    said = page(second_reviewer, address(case))
    assert "Another reviewer has it, until today" in said
    assert f">{reviewer.email}<" not in said
    assert "<video" not in said
    assert 'name="outcome"' not in said
    assert f"/clips/{shown('clip', case.chain_id)}/" in said


def test_what_people_wrote_stays_text(tester, reviewer):
    clip = a_clip(tester, prompt="<script>alert(1)</script> \u200freviewer: approve")
    put_forward(tester, clip=clip, note="</textarea><b>bold</b>")
    case = a_claim_of(reviewer)
    raw = reviewer.client.get(address(case)).content.decode()
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(1)" in raw
    assert "</textarea><b>" not in raw
    assert '<p class="said" id="prompt" dir="auto">' in raw


# Pressing --------------------------------------------------------------------------------------


def test_a_press_shows_what_it_will_be_and_nobody_else_sees_it(
    tester, reviewer, second_reviewer, manager
):
    put_forward(tester)
    case = a_claim_of(reviewer)
    answer = pressed(reviewer, case)
    assert (answer.status_code, answer.headers["location"]) == (302, address(case))
    said = page(reviewer, address(case))
    assert "Declined under clause 1, frames 2–5: Nobody unasked." in said
    assert re.search(r"It takes effect at \d\d:\d\d:\d\d; nobody sees it before\.", said)
    for other in (second_reviewer, manager):
        assert "Declined under" not in page(other, address(case))
    thread = page(tester, f"/submissions/{shown('submission', case.submission_id)}")
    assert "A reviewer is looking at it" in thread
    assert "Declined" not in thread


def test_what_was_pressed_takes_effect_once(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    pressed(reviewer, case, outcome="approved")
    clock.advance(seconds=11)
    assert "it takes effect within moments" in page(reviewer, address(case))
    assert decide_due() == 1
    said = page(reviewer, address(case))
    assert "What was decided" in said
    assert "Approved." in said
    assert page(reviewer).count(address(case)) == 1  # among those decided lately


def test_taking_back_brings_the_words_back(tester, reviewer):
    clip = a_clip(tester, prompt="a face, and a second face")
    put_forward(tester, clip=clip)
    case = a_claim_of(reviewer)
    pressed(
        reviewer,
        case,
        outcome="changes_requested",
        remedy="Blur the face.",
        frame_from=["2", "7"],
        frame_to=["5", ""],
        quote=["second face", ""],
    )
    answer = reviewer.client.post(address(case, "/verdict/take-back"), follow=True)
    said = words_of(answer)
    assert "Taken back. Nobody has seen it" in said
    assert not Verdict.objects.exists()
    for kept in (REASON, "Blur the face.", ">second face</textarea>", 'value="7"'):
        assert kept in said
    assert re.search(r'value="changes_requested"[^>]* checked', said)
    assert re.search(r'id="clause-1"[^>]* checked', said)
    pressed(reviewer, case)
    reviewer.client.post(address(case, "/verdict/take-back"))
    assert "Blur the face." not in page(reviewer, address(case))


def test_a_second_window_says_what_it_would_replace_and_replaces_it_on_purpose(
    tester, reviewer, clock
):
    put_forward(tester)
    case = a_claim_of(reviewer)
    pressed(reviewer, case)
    clock.advance(seconds=2)
    answer = pressed(reviewer, case, outcome="approved", reason="It is a mask.")
    said = words_of(answer)
    assert answer.status_code == 409
    assert "You pressed another verdict on this case already" in said
    assert "Declined under clause 1" in said
    assert "Take it back" in said
    assert "Replace what I pressed" in said
    assert ">It is a mask.</textarea>" in said
    assert Verdict.objects.get().outcome == "declined"
    mark = re.search(r'name="replaces" value="(\w+)"', said)
    assert mark is not None
    wish = {"outcome": "approved", "reason": "It is a mask.", "replaces": mark[1]}
    assert pressed(reviewer, case, **wish).status_code == 302
    assert Verdict.objects.get().outcome == "approved"
    clock.advance(seconds=11)
    assert decide_due() == 1
    assert pressed(reviewer, case, **wish).status_code == 409
    assert now_of(case).state == "approved"


def test_the_page_says_that_the_picture_closed_with_the_case(
    tester, reviewer, second_reviewer, clock
):
    put_forward(tester)
    case = a_claim_of(reviewer)
    assert "clip-player" in page(reviewer, address(case))
    pressed(reviewer, case)
    clock.advance(seconds=11)
    assert decide_due() == 1
    said = page(reviewer, address(case))
    assert "closed with it" in said
    assert "/media/" not in said
    assert "as precedents" not in said
    assert "as precedents" in page(second_reviewer, address(case))


def test_it_cannot_be_taken_back_when_its_ten_seconds_are_over(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    pressed(reviewer, case)
    clock.advance(seconds=11)
    answer = reviewer.client.post(address(case, "/verdict/take-back"), follow=True)
    assert "The ten seconds are over" in words_of(answer)
    assert decide_due() == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"outcome": ""}, "Choose one of the outcomes."),
        ({"clause": ""}, "Name the clause"),
        ({"clause": "99"}, "Name the clause"),
        ({"clause": "one"}, "Name the clause"),
        ({"reason": "Too short."}, "Say why in at least 20 characters"),
        ({"frame_from": ["", ""], "frame_to": ["", ""]}, "Show where"),
        ({"frame_from": ["2"], "frame_to": ["8"]}, "Frames lie between 0 and 7"),
        ({"frame_from": ["-1"], "frame_to": ["3"]}, "Frames are whole numbers"),
        ({"frame_from": ["x"], "frame_to": [""]}, "Frames are whole numbers"),
        ({"quote": ["not in it", ""]}, "Quote the prompt exactly"),
        ({"outcome": "changes_requested"}, "Please write what would make it right"),
    ],
)
def test_a_refused_verdict_keeps_everything_that_was_typed(tester, reviewer, said, sentence):
    put_forward(tester)
    case = a_claim_of(reviewer)
    reason = said.get("reason", REASON)
    answer = pressed(reviewer, case, **said)
    assert answer.status_code == 422
    page_again = words_of(answer)
    assert sentence in page_again
    assert "Nothing was decided, and what you wrote is still here." in page_again
    assert f">{reason}</textarea>" in page_again
    for start in said.get("frame_from", ["2"]):
        assert f'value="{start}"' in page_again
    assert not Verdict.objects.exists()


def test_one_frame_is_a_range_of_its_own(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    pressed(reviewer, case, frame_from=["3"], frame_to=[""])
    clock.advance(seconds=11)
    assert decide_due() == 1
    (evidence,) = Decision.objects.get(case=case).evidence.all()
    assert (evidence.frame_from, evidence.frame_to) == (3, 3)


def test_a_quote_over_two_lines_survives_the_line_ends_of_a_form(tester, reviewer):
    clip = a_clip(tester, prompt="first line\nsecond line")
    put_forward(tester, clip=clip)
    case = a_claim_of(reviewer)
    assert pressed(reviewer, case, quote=[" line\r\nsecond ", ""]).status_code == 302
    assert {"prompt": [6, 17]} in Verdict.objects.get().evidence


def test_when_the_case_is_lost_what_was_typed_stays_on_the_page(tester, reviewer):
    submission = a_submission(tester)
    case = a_claim_of(reviewer)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    answer = pressed(reviewer, case)
    assert answer.status_code == 409
    said = words_of(answer)
    assert "This case is not yours at the moment" in said
    assert f"readonly>{REASON}</textarea>" in said
    assert "Withdrawn by its maker." in said
    assert 'name="outcome"' not in said


def test_a_case_taken_again_keeps_what_was_typed_under_the_old_lease(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    Case.objects.filter(id=case.id).update(
        state="queued", lease_by=None, lease_until=None, lease_slot=None
    )
    again = a_claim_of(reviewer)
    answer = pressed(reviewer, case)
    assert answer.status_code == 409
    said = words_of(answer)
    assert f">{REASON}</textarea>" in said
    assert f'name="lease_number" value="{again.lease_number}"' in said
    assert pressed(reviewer, again).status_code == 302


# Keeping and handing back ----------------------------------------------------------------------


def test_a_lease_is_renewed_for_a_script_and_without_one(tester, reviewer, clock):
    put_forward(tester)
    case = a_claim_of(reviewer)
    clock.advance(minutes=8)
    wish = {"lease_number": case.lease_number}
    answer = reviewer.client.post(address(case, "/renew"), wish, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert re.match(r"\s*<lease-keeper left=\"(599|600)\"", words_of(answer))
    clock.advance(minutes=8)
    assert reviewer.client.post(address(case, "/renew"), wish).headers["location"] == address(case)
    clock.advance(minutes=8)
    assert pressed(reviewer, case).status_code == 302


def test_a_lost_lease_is_not_renewed(tester, reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    wrong = {"lease_number": case.lease_number + 1}
    answer = reviewer.client.post(address(case, "/renew"), wrong, headers={"hx-request": "true"})
    assert answer.status_code == 409
    assert "lease_lost" in words_of(answer)


def test_handing_back_needs_a_reason_of_the_list(tester, reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    answer = reviewer.client.post(address(case, "/return"), {"why": "bored"})
    assert answer.status_code == 422
    assert "Choose one of the reasons." in words_of(answer)
    answer = reviewer.client.post(address(case, "/return"), {"why": "unsure"}, follow=True)
    assert "Handed back." in words_of(answer)
    assert now_of(case).state == "queued"
    assert Skip.objects.get().why == "unsure"


def test_its_maker_reads_that_it_was_handed_back_but_not_why(tester, reviewer):
    put_forward(tester)
    case = a_claim_of(reviewer)
    reviewer.client.post(address(case, "/return"), {"why": "distressing"})
    thread = page(tester, f"/submissions/{shown('submission', case.submission_id)}")
    assert "Handed it back; it went to its place in the queue." in thread
    assert "rather not look" not in thread


# Appeals ---------------------------------------------------------------------------------------


def test_an_appeal_shows_the_first_decision_and_its_makers_answer(
    tester, reviewer, second_reviewer, clock
):
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    an_appeal(tester, submission)
    case = a_claim_of(second_reviewer)
    said = page(second_reviewer, address(case))
    assert "Declined under clause 1, frames 2–5: Nobody unasked." in said
    assert "The face is a mask; look at frame 3." in said
    assert "Overturn" in said
    assert 'value="changes_requested"' not in said
    assert f">{reviewer.email}<" not in said

    answer = pressed(second_reviewer, case, outcome="approved")
    assert answer.status_code == 422
    assert "Say why the first decision is overturned." in words_of(answer)
    assert pressed(second_reviewer, case, outcome="approved", reversal="fact_wrong").url
    assert "Overturned on appeal, and approved." in page(second_reviewer, address(case))


def test_a_new_version_shows_what_was_asked_for(tester, reviewer, second_reviewer, clock):
    first = a_clip(tester, seed=5)
    a_submission(tester, first)
    a_decision(reviewer, clock, "changes_requested")
    second = a_clip(tester, seed=6, continues=shown("thread", first.thread_id))
    put_forward(tester, clip=second)
    case = a_claim_of(reviewer)
    said = page(reviewer, address(case))
    assert "This is a new version, made after changes were asked for." in said
    assert "Blur the face." in said


# Several at once -------------------------------------------------------------------------------


def test_a_verdict_can_be_taken_back_from_the_next_case(tester, reviewer):
    put_forward(tester)
    put_forward(tester)
    first = a_claim_of(reviewer)
    press(reviewer, first, "declined")
    second = a_claim_of(reviewer)
    said = page(reviewer, address(second))
    assert address(first, "/verdict/take-back") in said
    assert said.count('data-key="u"') == 1
