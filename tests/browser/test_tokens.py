"""The form that makes a token: as many scopes as it has, it stays readable on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from stage.cast import Member
from stage.rooms import DESKTOP, Visit

PHONE = {"width": 360, "height": 740}


def the_form(here: Visit, member: Member) -> Page:
    """After showing once more who one is."""
    here.sign_in_by_form(member)
    page = here.go("/tokens/new")
    page.get_by_label("Password").fill(member.password)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/tokens/new")
    return page


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_scopes_stand_in_groups_that_fit(
    visit: Callable[..., Visit], reviewer: Member, size: dict[str, int]
) -> None:
    here = visit(viewport=size)
    page = the_form(here, reviewer)
    here.picture(f"new-token-{size['width']}")
    assert here.axe() == []
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    desk = page.get_by_role("group", name="The review desk")
    assert desk.get_by_role("checkbox").count() == 3
    assert page.get_by_role("group", name="The programme's money").count() == 0


def test_a_token_is_made_with_the_keyboard_alone(
    visit: Callable[..., Visit], tester: Member
) -> None:
    page = the_form(visit(), tester)
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("nightly")
    page.keyboard.press("Tab")
    page.keyboard.type("renders the dailies")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first scope, which was chosen
    page.keyboard.press("Enter")
    page.locator("#secret").wait_for()
    assert page.locator("#secret").input_value().startswith("grm_t_")
    assert "Make clips" not in page.locator("main").inner_text()
