"""A new password by a letter, what stays with whoever left, and a verdict pressed twice, in a real
browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.test_pages import _plain_words
from playwright.sync_api import expect

from accounts.consents.commands import grant_consent, publish_consent
from accounts.consents.queries import is_consented
from accounts.consents.rules import Purpose
from accounts.entrance.queries import password_link
from accounts.people.models import Person
from accounts.programmes.models import Programme
from core.ids import shown
from greenroom.offboarding.commands import offboard_member
from greenroom.offboarding.rules import Why
from review.decisions.models import Verdict
from stage.builders import a_clip
from stage.cast import Member
from stage.review import a_claim_of, a_submission, open_review, press
from stage.rooms import Visit

NEW = "a wholly new rehearsal"


@pytest.fixture
def gone(programme: Programme, tester: Member) -> Member:
    for purpose in (Purpose.TRAINING, Purpose.PUBLICITY):
        publish_consent(
            programme_id=programme.id, purpose=purpose, is_asked=True, words="We may use it."
        )
    clip = a_clip(tester, prompt="A harbour at dusk, boats and mist, seen from the pier")
    grant_consent(actor=tester.actor, purpose=Purpose.TRAINING)
    grant_consent(actor=tester.actor, purpose=Purpose.PUBLICITY, clip_id=clip.id)
    offboard_member(programme_id=programme.id, party_id=tester.party_id, reason=Why.OWN_WISH)
    return tester


def test_every_page_is_accessible_and_fits(visit: Callable[..., Visit], gone: Member) -> None:
    here = visit()
    link = password_link(Person.objects.get(pk=gone.person.pk))
    path = "/" + link.split("/", 3)[3]
    found = []
    open_ones = ["/account/login/", "/account/password/reset/", "/account/password/reset/done/"]
    open_ones += [path, "/account/password/reset/key/done/", path[:-2] + "/"]
    own = ["/", "/consents", "/left", f"/left/{gone.programme.slug}"]
    for number, place in enumerate([*open_ones, *own]):
        if place == own[0]:
            here.sign_in(gone)
        found += here.faults_at(place, f"back-{number:02d}")
    assert found == []


def test_no_page_shows_a_word_that_was_not_translated(
    visit: Callable[..., Visit], gone: Member
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    link = password_link(Person.objects.get(pk=gone.person.pk))
    found = []
    for place in ("/account/password/reset/", "/account/password/reset/done/"):
        found += _plain_words(here, place)
    found += _plain_words(here, "/" + link.split("/", 3)[3])
    here.sign_in(gone)
    found += _plain_words(here, f"/left/{gone.programme.slug}")
    assert found == []


def test_a_new_password_is_set_by_the_keyboard(visit: Callable[..., Visit], tester: Member) -> None:
    here = visit()
    page = here.go("/account/login/")
    page.get_by_role("link", name=re.compile("orgot")).click()
    page.get_by_label("E-mail").fill(tester.email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    link = password_link(Person.objects.get(pk=tester.person.pk))
    page.goto(f"{here.room.address}/{link.split('/', 3)[3]}")
    fields = page.locator("input[type=password]")
    fields.nth(0).fill(NEW)
    fields.nth(1).fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your new password is set")).to_be_visible()
    page.get_by_role("link", name="To the sign-in").click()
    page.get_by_label("E-mail").fill(tester.email)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{here.room.address}/")


def test_a_consent_is_taken_back_after_leaving(visit: Callable[..., Visit], gone: Member) -> None:
    here = visit(java_script_enabled=False)
    here.sign_in(gone)
    page = here.go("/left")
    page.get_by_role("main").get_by_role("link", name=gone.programme.name).click()
    page.get_by_role("button", name=re.compile("everything")).click()
    expect(page.get_by_text("Taken back. It counts from now on")).to_be_visible()
    assert not is_consented(
        programme_id=gone.programme.id, party_id=gone.party_id, purpose=Purpose.TRAINING
    )


def test_a_second_press_says_what_it_replaces(
    visit: Callable[..., Visit], programme: Programme, tester: Member, reviewer: Member
) -> None:
    open_review(programme)
    a_submission(tester)
    here = visit()
    here.sign_in(reviewer)
    case = a_claim_of(reviewer)
    page = here.go(f"/desk/cases/{shown('case', case.id)}")
    press(reviewer, case, "declined")  # in another window
    page.get_by_role("radio", name=re.compile("Approve")).check()
    page.get_by_role("button", name=re.compile("Decide")).click()
    expect(page.get_by_text("You pressed another verdict on this case already")).to_be_visible()
    assert here.faults("replace") == []
    page.get_by_role("button", name=re.compile("Replace what I pressed")).click()
    page.wait_for_url(f"**/desk/cases/{shown('case', case.id)}")
    assert Verdict.objects.get().outcome == "approved"
