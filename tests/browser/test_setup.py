"""The set-up room to the eye: accessible, within a phone, every word translated."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from browser.test_pages import _plain_words
from PIL import Image

from accounts.agreements.commands import publish_agreement
from generation.catalogue.commands import offer_still_model
from greenroom.setup import defaults
from greenroom.setup.commands import keep_defaults
from review.policies.commands import publish_charter
from stage.cast import Member
from stage.rooms import PHONE, Visit

STEPS = [
    *("particulars", "calendar", "agreement", "consents", "clauses", "charter"),
    *("rates", "credits", "models", "retention", "money"),
]
PAGES = ["/", "/setup", *(f"/setup/{step}" for step in STEPS)]
# Without a text to write in: what stands in one is the programme's own, in its own language.
WORDS = ["/", "/setup", *(f"/setup/{step}" for step in ("rates", "credits", "models", "money"))]


def test_the_set_up_is_accessible_and_within_the_screen(
    visit: Callable[..., Visit], manager: Member
) -> None:
    here = visit()
    here.sign_in(manager)
    offer_still_model()
    faults = here.faults_at("/setup", "open")
    keep_defaults(programme_id=manager.programme.id)
    publish_agreement(
        programme_id=manager.programme.id,
        text=defaults.AGREEMENT_TEXT,
        summary=defaults.AGREEMENT_SUMMARY,
        changes="Much longer.",
    )
    for path in PAGES:
        faults += here.faults_at(path)
    faults += _the_second_of_two(here, manager)
    faults += _what_changes(here)
    assert faults == []


def test_a_message_is_put_away_by_a_key(visit: Callable[..., Visit], manager: Member) -> None:
    """By the page's own means: no script is loaded for it."""
    here = visit(viewport=PHONE, java_script_enabled=False)
    here.sign_in(manager)
    page = here.go("/setup")
    page.get_by_role("button", name="Close the programme").click()
    said = page.get_by_role("status").get_by_text("No new work begins.")
    said.wait_for()
    page.get_by_role("button", name="Dismiss this message").focus()
    page.keyboard.press("Enter")
    said.wait_for(state="hidden")
    assert page.url.endswith("/setup")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_that_goes_on_beyond_the_screen_shows_it(
    visit: Callable[..., Visit], manager: Member, scheme: str
) -> None:
    here = visit(viewport=PHONE, color_scheme=scheme)
    here.sign_in(manager)
    page = here.go("/storage")
    table = page.get_by_role("region", name="Table of states")
    assert table.evaluate("each => each.scrollWidth > each.clientWidth")
    last = _last_column(table.screenshot())
    table.focus()
    for _step in range(40):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "each => each.scrollLeft + each.clientWidth >= each.scrollWidth - 1",
        arg=table.element_handle(),
    )
    assert last != _last_column(table.screenshot()), "at its end nothing says that it goes on"


def _last_column(picture: bytes) -> tuple[int, ...]:
    """The colour beside the right edge, low down where a table of few rows has no words."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    return tuple(image.getpixel((image.width - 2, image.height - 6)))


def test_the_set_up_shows_no_word_that_was_not_translated(
    visit: Callable[..., Visit], manager: Member
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    here.sign_in(manager)
    offer_still_model()
    found = [fault for path in WORDS for fault in _plain_words(here, path)]
    keep_defaults(programme_id=manager.programme.id)
    assert found + [fault for path in WORDS for fault in _plain_words(here, path)] == []


def _the_second_of_two(here: Visit, manager: Member) -> list[str]:
    """By the keyboard alone: typed, sent, and met by what somebody else published meanwhile."""
    page = here.go("/setup/charter")
    publish_charter(
        programme_id=manager.programme.id,
        decide_within_hours=24,
        appeal_within_hours=60,
        words="Shorter now.",
    )
    page.get_by_label("Hours until a clip is decided").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("36")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Somebody changed this").wait_for()
    assert page.get_by_label("Hours until a clip is decided").input_value() == "36"
    return here.faults("conflict")


def _what_changes(here: Visit) -> list[str]:
    page = here.go("/setup/agreement")
    text = page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace("Nobody is employed", "No one is ever employed"))
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_role("heading", name="What changes").wait_for()
    return here.faults("agreement-diff")
