"""The navigation at every width, in long words, and by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.administrators.commands import make_administrator
from accounts.programmes.models import Programme, Role
from stage.cast import Member, a_member
from stage.rooms import Visit


@pytest.fixture
def everything(programme: Programme) -> Member:
    """Somebody with every role that may be in one hand: nobody is offered more rooms."""
    roles = [Role.TESTER, Role.REVIEWER, Role.MANAGER]
    member = a_member(programme, *roles, name="everything")
    make_administrator(party_id=member.party_id, granted_by=None)
    return member


@pytest.mark.parametrize("width", [360, 720, 1280])
def test_every_room_is_in_reach_in_the_longest_words(
    visit: Callable[..., Visit], everything: Member, width: int
) -> None:
    here = visit(
        viewport={"width": width, "height": 740},
        extra_http_headers={"Accept-Language": "en-XA"},
    )
    here.sign_in(everything)
    page = here.go("/tokens")
    page.locator(".who > summary").click()
    here.picture(f"rooms-{width}")
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    boxes = [link.bounding_box() for link in page.locator("header nav a").all()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert here.axe() == []


def test_the_menu_is_opened_and_left_by_the_keyboard(
    visit: Callable[..., Visit], tester: Member
) -> None:
    here = visit()
    here.sign_in(tester)
    page = here.go("/")
    page.locator(".who > summary").focus()
    page.keyboard.press("Enter")
    # As many steps as there are rooms before it, each of them visible.
    while page.evaluate("() => document.activeElement.textContent") != "Tokens":
        page.keyboard.press("Tab")
        expect(page.locator("header :focus")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tokens")
    assert page.locator("header nav a[aria-current=page]").text_content() == "Tokens"
