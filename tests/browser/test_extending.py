"""A clip is extended from its page, by keyboard and without a script; what is held back says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.ids import shown
from generation.clips.models import Clip
from generation.clips.rules import Allows
from review.policies.commands import publish_policy
from stage.builders import a_clip, a_model
from stage.cast import Member
from stage.review import CLAUSES
from stage.rooms import Visit


@pytest.fixture
def source(tester: Member) -> Clip:
    a_model(modes=["text", "image"], most_conditions=1)
    return a_clip(tester, seconds=2, width=256, height=144)


def page_of(here: Visit, clip: Clip) -> Page:
    return here.go(f"/clips/{shown('clip', clip.id)}")


def ordered(page: Page) -> None:
    expect(page.get_by_text("It begins with the last frame of")).to_be_visible()
    expect(page.get_by_label("Begins with")).to_have_count(0)
    page.get_by_label("What should be seen").fill("The boat reaches the wall")
    page.get_by_label("Length in seconds").fill("1")


def test_by_keyboard_from_a_clip_to_the_whole(
    visit: Callable[..., Visit], tester: Member, source: Clip
) -> None:
    here = visit()
    here.sign_in(tester)
    page = page_of(here, source)
    page.get_by_role("link", name="Extend this clip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/clips/new?extend=*")
    ordered(page)
    expect(page.locator(".price .amount")).to_have_text("4 credits")
    expect(page.get_by_text("8 frames, 2.9 s in all")).to_be_visible()
    assert here.faults("extending") == []
    page.get_by_role("button", name="Make this clip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")
    page.get_by_role("link", name="Watch the clip").click()
    page.wait_for_url("**/clips/clp_*")
    said = "It goes on from the last frame of a clip, 2.0 s + 0.9 s."
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_role("link", name="See that clip")).to_be_visible()
    expect(page.get_by_text("23 frames")).to_be_visible()
    assert here.faults("extended") == []


def test_without_a_script(visit: Callable[..., Visit], tester: Member, source: Clip) -> None:
    here = visit(java_script_enabled=False)
    here.sign_in(tester)
    page = page_of(here, source)
    page.get_by_role("link", name="Extend this clip").click()
    ordered(page)
    page.get_by_role("button", name="Show price").last.click()
    expect(page.get_by_text("2.9 s in all")).to_be_visible()
    expect(page.get_by_text("It begins with the last frame of")).to_be_visible()
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/*")
    assert Clip.objects.get(id=source.id).extensions.count() == 1


@pytest.mark.parametrize("allows", [Allows.PREVIEW, Allows.PICTURES])
def test_what_is_held_back_is_said_where_it_would_be(
    visit: Callable[..., Visit], tester: Member, allows: Any
) -> None:
    publish_policy(
        programme_id=tester.programme.id,
        introduction="Why a clip may be declined.",
        clauses=CLAUSES,
        files_before=allows,
    )
    a_model()
    clip = a_clip(tester, width=256, height=144)
    here = visit()
    here.sign_in(tester)
    page = page_of(here, clip)
    expect(page.get_by_text("That is what your programme's policy says.")).to_be_visible()
    expect(page.get_by_text("Yours once the clip is approved")).to_have_count(
        1 if allows == Allows.PREVIEW else 2
    )
    expect(page.locator("video")).to_have_count(1 if allows == Allows.PREVIEW else 0)
    assert here.faults(f"held-back-{allows}") == []
    assert here.faults_at(f"/programmes/{tester.programme.slug}", f"policy-{allows}") == []
