"""What a small model knows, in the composer: pressed, typed, and without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from core.ids import shown
from generation.catalogue.models import PriceRow
from stage.builders import a_clip, a_model
from stage.cast import Member
from stage.rooms import Visit

WORDS = [
    *("a", "big", "small", "red", "orange", "yellow", "green", "cyan", "blue", "purple", "white"),
    *("circle", "square", "triangle", "star", "moves", "left", "right", "up", "down", "spins"),
    *("over", "black", "grey", "gradient", "background", "neon", "pencil", "watercolour", "style"),
]
EXAMPLES = [
    "a big red circle moves left over a white background",
    "a small cyan star spins over a black background, neon style",
]


@pytest.fixture
def small(db: None) -> None:
    model = a_model("small", name="Small", words=WORDS, examples=EXAMPLES, order=1)
    PriceRow.objects.create(
        model=model,
        tier="standard",
        width=512,
        height=512,
        generated_width=64,
        generated_height=64,
        enlarged_by=8,
        steps=4,
        credits_per_second=1,
    )
    a_model("still", name="Still", order=2)


def test_examples_and_words_fill_the_prompt_and_unknown_ones_are_told(
    visit: Callable[..., Visit], tester: Member, small: None
) -> None:
    here = visit()
    here.sign_in(tester)
    page = here.go("/clips/new")
    prompt = page.get_by_label("What should be seen")
    page.get_by_role("button", name=EXAMPLES[1]).click()
    expect(prompt).to_have_value(EXAMPLES[1])
    expect(prompt).to_be_focused()

    page.locator("summary", has_text="Words that Small knows").focus()
    page.keyboard.press("Enter")
    prompt.fill("a red")
    page.get_by_role("button", name="triangle", exact=True).focus()
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("a red triangle")
    assert page.url.endswith("/clips/new"), "nothing was sent"

    notice = page.get_by_text("This model does not know")
    expect(notice).to_have_count(0)
    prompt.fill("a red dragon over a castle")
    expect(notice).to_have_text("This model does not know: dragon, castle. It may ignore them.")
    page.get_by_label("Size").select_option("512x512")
    price = page.locator(".price")
    expect(price).to_contain_text("generated at 64 × 64, resized to 512 × 512")
    assert here.faults("words") == []

    page.get_by_label("Model").select_option("still")
    expect(notice).to_have_count(0)
    expect(page.get_by_text("Words that Small knows")).to_be_hidden()
    prompt.fill("a castle with a dragon")
    page.get_by_label("Model").select_option("small")
    expect(notice).to_contain_text("castle, with, dragon")


def test_without_a_script_the_page_comes_back_with_it_filled_in(
    visit: Callable[..., Visit], tester: Member, small: None
) -> None:
    here = visit(java_script_enabled=False)
    here.sign_in(tester)
    page = here.go("/clips/new")
    prompt = page.get_by_label("What should be seen")
    page.get_by_label("Length in seconds").fill("3")
    page.get_by_role("button", name=EXAMPLES[0]).click()
    expect(prompt).to_have_value(EXAMPLES[0])
    expect(page.get_by_label("Length in seconds")).to_have_value("3")
    page.get_by_text("Words that Small knows").click()
    page.get_by_role("button", name="spins", exact=True).click()
    expect(prompt).to_have_value(f"{EXAMPLES[0]} spins")
    prompt.fill("a dragon")
    # Enter in a field asks for the price, and changes no words.
    page.get_by_label("Length in seconds").press("Enter")
    expect(prompt).to_have_value("a dragon")
    expect(page.get_by_text("This model does not know: dragon.")).to_be_visible()


def test_a_resized_clip_says_on_its_page_what_was_generated(
    visit: Callable[..., Visit], tester: Member, small: None
) -> None:
    clip = shown("clip", a_clip(tester, model="small", width=512, height=512).id)
    here = visit()
    here.sign_in(tester)
    page = here.go(f"/clips/{clip}")
    expect(page.get_by_text("Every frame was generated at 64 × 64, resized to")).to_be_visible()
    assert here.faults("resized") == []
