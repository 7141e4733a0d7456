"""The desk with the keyboard alone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser.test_pages import _plain_words
from playwright.sync_api import Page, expect

from accounts.programmes.models import Programme
from core.ids import shown
from generation.clips.models import Clip
from review.decisions.commands import decide_due
from review.decisions.models import Decision, Verdict
from review.submissions.models import Case
from stage.builders import a_clip
from stage.cast import Member
from stage.clock import Clock
from stage.review import (
    a_claim_of,
    a_decision,
    a_submission,
    an_appeal,
    open_review,
    press,
)
from stage.rooms import Visit

REASON = "A face can be recognised in these frames, and nobody agreed."


@pytest.fixture(autouse=True)
def _open(programme: Programme) -> None:
    open_review(programme)


def put_forward(tester: Member) -> Clip:
    """Ten seconds' worth of frames would be slow to make; eight are enough to step through."""
    clip = a_clip(tester, prompt="A lamp in a window, a face behind it", seed=11)
    a_submission(tester, clip, note="The face is a mask.")
    return clip


def test_a_reviewer_decides_with_the_keyboard_alone(
    visit: Callable[..., Visit], tester: Member, reviewer: Member, clock: Clock
) -> None:
    clip = put_forward(tester)
    here = visit()
    here.sign_in(reviewer)
    page = here.go("/desk")
    assert here.axe() == []
    page.keyboard.press("n")
    page.wait_for_url("**/desk/cases/cas_*")
    assert here.axe() == []

    page.keyboard.press("d")
    page.keyboard.press("1")
    _step_to(page, 2)
    page.keyboard.press("i")
    _step_to(page, 5)
    page.keyboard.press("o")
    page.keyboard.press("r")
    page.keyboard.type(REASON)  # the letters are letters here
    expect(page.get_by_label("From frame").first).to_have_value("2")
    expect(page.get_by_label("to frame").first).to_have_value("5")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Declined under clause 1, frames 2–5")).to_be_visible()
    expect(page.get_by_text("seconds left to take it back")).to_be_visible()
    assert here.axe() == []

    page.keyboard.press("u")
    expect(page.get_by_label("Reason")).to_have_value(REASON)
    assert not Verdict.objects.exists()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Declined under clause 1, frames 2–5")).to_be_visible()
    clock.advance(seconds=11)
    assert decide_due() == 1
    page.reload()
    expect(page.get_by_role("heading", name="What was decided")).to_be_visible()
    decision = Decision.objects.get(chain=clip)
    assert (decision.outcome, decision.reason) == ("declined", REASON)


def test_single_keys_can_be_switched_off_for_good(
    visit: Callable[..., Visit], tester: Member, reviewer: Member
) -> None:
    put_forward(tester)
    here = visit()
    here.sign_in(reviewer)
    page = here.go("/desk")
    page.get_by_label("Single keys").uncheck()
    page.keyboard.press("n")
    page.reload()
    expect(page.get_by_label("Single keys")).not_to_be_checked()
    page.keyboard.press("n")
    assert page.url.endswith("/desk")
    assert Case.objects.get().state == "queued"
    page.get_by_label("Single keys").check()
    page.locator("body").press("n")
    page.wait_for_url("**/desk/cases/cas_*")


def test_words_of_the_prompt_are_taken_by_selecting_them(
    visit: Callable[..., Visit], tester: Member, reviewer: Member
) -> None:
    put_forward(tester)
    here = visit()
    here.sign_in(reviewer)
    page = _take(here)
    page.keyboard.press("d")
    page.locator("#prompt").evaluate(
        "(node) => { const range = document.createRange(); range.setStart(node.firstChild, 2);"
        " range.setEnd(node.firstChild, 6); getSelection().removeAllRanges();"
        " getSelection().addRange(range); }"
    )
    page.keyboard.press("q")
    expect(page.locator("#quote")).to_have_value("lamp")


def test_a_case_is_kept_while_it_is_used_and_its_loss_is_said(
    visit: Callable[..., Visit], tester: Member, reviewer: Member, clock: Clock
) -> None:
    put_forward(tester)
    here = visit()
    here.sign_in(reviewer)
    here.page.clock.install()
    page = _take(here)
    before = Case.objects.get().lease_until
    clock.advance(minutes=5)
    page.mouse.move(200, 200)
    with page.expect_response("**/renew") as renewed:
        page.clock.fast_forward(61_000)
    assert renewed.value.ok
    after = Case.objects.get().lease_until
    assert before is not None
    assert after is not None
    assert after > before

    case = Case.objects.get()
    Case.objects.filter(id=case.id).update(
        state="queued", lease_by=None, lease_until=None, lease_slot=None
    )
    page.keyboard.press("r")
    page.keyboard.type("half a sentence")
    page.clock.fast_forward(61_000)
    expect(page.locator("[data-part=lost]")).to_be_visible()
    expect(page.locator("#says")).to_contain_text("no longer in your hands")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_text("half a sentence")).to_be_visible()


def test_the_desk_works_without_javascript(
    visit: Callable[..., Visit], tester: Member, reviewer: Member, clock: Clock
) -> None:
    clip = put_forward(tester)
    here = visit(java_script_enabled=False)
    here.sign_in(reviewer)
    page = here.go("/desk")
    page.get_by_role("button", name="Take the next one").click()
    expect(page.locator("video")).to_have_attribute("controls", "")
    page.get_by_role("radio", name="Ask for changes").check()
    page.get_by_role("radio", name="Nobody unasked").check()
    page.get_by_label("From frame").first.fill("0")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_be_visible()  # the remedy is missing, all else is kept
    expect(page.get_by_label("Reason")).to_have_value(REASON)
    page.get_by_label("What would make it right").fill("Blur the face.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("It takes effect at")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_label("What would make it right")).to_have_value("Blur the face.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("It takes effect at")).to_be_visible()
    clock.advance(seconds=11)
    assert decide_due() == 1
    assert Decision.objects.get(chain=clip).outcome == "changes_requested"


def test_desk_and_review_are_accessible_and_fit(
    visit: Callable[..., Visit],
    tester: Member,
    reviewer: Member,
    second_reviewer: Member,
    clock: Clock,
) -> None:
    clip = a_clip(tester, prompt="Donaudampfschifffahrtsgesellschaft" * 12, seed=21)
    at_desk, at_home = visit(), visit()
    at_desk.sign_in(reviewer)
    at_home.sign_in(tester)
    new = f"/submissions/new?clip={shown('clip', clip.id)}"
    faults = [*at_home.faults_at("/submissions", "none"), *at_home.faults_at(new)]
    submission = a_submission(tester, clip, note="The face is a mask. " * 8)
    thread = f"/submissions/{shown('submission', submission.id)}"
    faults += at_home.faults_at(thread, "waiting")
    faults += at_desk.faults_at("/desk")
    page = _take(at_desk)
    case = page.url.removeprefix(at_desk.room.address)
    page.get_by_role("radio", name="Decline").check()
    faults += at_desk.faults("case")
    page.get_by_role("radio", name="Nobody unasked").check()
    page.get_by_label("From frame").first.fill("3")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Decide").click()
    page.wait_for_url("**/desk/cases/cas_*")
    faults += at_desk.faults("pressed")
    clock.advance(seconds=11)
    assert decide_due() == 1
    faults += at_desk.faults_at(case, "decided")
    page = at_home.go(thread)
    page.get_by_label("Why the decision is wrong").fill("It is a mask; look at frame 3.")
    faults += at_home.faults("declined")
    page.get_by_role("button", name="Appeal").click()
    page.wait_for_url(f"**{thread}")
    faults += at_home.faults("appealed")
    faults += at_home.faults_at("/submissions", "list")
    other = visit()
    other.sign_in(second_reviewer)
    faults += at_desk.faults_at("/desk", "barred")
    page = _take(other)
    page.get_by_role("radio", name="Overturn").check()
    faults += other.faults("appeal")
    assert faults == []


def test_no_word_of_a_review_escapes_translation(
    visit: Callable[..., Visit],
    tester: Member,
    second_tester: Member,
    reviewer: Member,
    second_reviewer: Member,
    clock: Clock,
) -> None:
    declined = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    for member in (second_tester, second_tester, second_tester, tester):
        a_submission(member)
    an_appeal(tester, declined)
    pressed = a_claim_of(reviewer)
    press(reviewer, pressed, "declined")
    held = a_claim_of(reviewer)
    other = a_claim_of(second_reviewer)
    clip = a_clip(tester, seed=31)
    english = {"Accept-Language": "en-XA"}
    at_desk, at_home = visit(extra_http_headers=english), visit(extra_http_headers=english)
    at_desk.sign_in(reviewer)
    at_home.sign_in(tester)
    paths = ["/desk", *(f"/desk/cases/{shown('case', one.id)}" for one in (pressed, held, other))]
    found = [word for path in paths for word in _plain_words(at_desk, path)]
    at_desk.picture("desk-full-case")
    at_desk.go("/desk")
    at_desk.picture("desk-full")
    thread = f"/submissions/{shown('submission', declined.id)}"
    new = f"/submissions/new?clip={shown('clip', clip.id)}"
    found += [
        word for path in ("/submissions", thread, new) for word in _plain_words(at_home, path)
    ]
    assert found == []


def _take(here: Visit) -> Page:
    page = here.go("/desk")
    page.get_by_role("button", name="Take the next one").click()
    page.wait_for_url("**/desk/cases/cas_*")
    return page


def _step_to(page: Page, frame: int) -> None:
    """One key a frame, waiting for each picture as a person would."""
    player = page.locator("clip-player")
    now = int(player.get_attribute("data-frame") or 0)
    for each in range(now + 1, frame + 1):
        page.keyboard.press(".")
        expect(player).to_have_attribute("data-frame", str(each))
