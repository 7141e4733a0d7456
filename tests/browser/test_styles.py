"""Styles are chosen with their weights by keyboard and without a script, as the model has them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from generation.jobs.models import Job
from stage.builders import a_model
from stage.cast import Member
from stage.rooms import Room, Visit
from stage.styles import a_style


@pytest.fixture
def drawn(room: Room) -> None:
    """Three models: one without styles, one with two, one with a long one."""
    a_model("plain", name="Plain words")
    model = a_model("drawn", name="Drawn", takes_styles=True)
    about = "Draws with black ink on rough paper, with soft washes where the light falls."
    a_style(model, slug="ink", name="Ink on paper", description=about, trigger="ink drawing")
    a_style(model, slug="oil", name="Oil", description="Thick paint.", usual_weight=0.8)
    other = a_model("modelled", name="Modelled", takes_styles=True)
    a_style(other, slug="clay", name="Clay", description="Everything is made of clay.")


def used() -> list[tuple[str, float]]:
    styles = Job.objects.get().styles.order_by("number")
    return [(one.style.slug, one.weight) for one in styles]


def test_by_keyboard_with_the_model_the_styles_change(
    visit: Callable[..., Visit], tester: Member, drawn: None
) -> None:
    here = visit()
    here.sign_in(tester)
    page = here.go("/clips/new")
    model = page.get_by_label("Model")
    model.select_option("plain")
    expect(page.get_by_text("This model takes none.")).to_be_visible()
    page.get_by_label("What should be seen").fill("A paper boat, ink drawing")
    page.get_by_label("Length in seconds").fill("1")
    page.get_by_label("Size").select_option("128x96")
    model.focus()
    page.keyboard.type("Drawn")
    ink = page.get_by_role("checkbox", name="Ink on paper")
    expect(ink).to_be_visible()
    expect(page.get_by_role("checkbox", name="Clay")).to_have_count(0)
    expect(page.get_by_text("Write into the prompt: ink drawing.")).to_be_visible()
    expect(page.get_by_label("Weight Oil")).to_have_value("0.8")
    ink.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    with page.expect_response(lambda answer: "weight-ink=0.6" in (answer.request.post_data or "")):
        page.keyboard.press("Control+A")
        page.keyboard.type("0.6")
    expect(page.locator(".price .amount")).to_have_text("1 credit")
    expect(page.locator("price-preview[aria-busy]")).to_have_count(0)
    expect(ink).to_be_checked()  # the price came again, and what was chosen stayed
    expect(page.get_by_role("button", name="Show the styles of the chosen model")).to_be_hidden()
    assert here.faults("composer-styles") == []
    page.get_by_label("Weight Ink on paper").fill("3")
    refused = "The style “Ink on paper” is used with a weight from 0 to 1.5."
    expect(page.locator(".price").get_by_text(refused)).to_be_visible()
    page.get_by_label("Weight Ink on paper").fill("0.6")
    expect(page.locator(".price .amount")).to_have_text("1 credit")
    page.get_by_role("button", name="Make this clip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_text("Ink on paper × 0.6")).to_be_visible()
    assert used() == [("ink", 0.6)]


def test_without_a_script_too(visit: Callable[..., Visit], tester: Member, drawn: None) -> None:
    here = visit(java_script_enabled=False)
    here.sign_in(tester)
    page = here.go("/clips/new")
    page.get_by_label("What should be seen").fill("A paper boat")
    page.get_by_label("Model").select_option("modelled")
    page.get_by_label("Size").select_option("128x96")
    page.get_by_label("Length in seconds").fill("1")
    page.get_by_role("button", name="Show the styles of the chosen model").click()
    expect(page.get_by_label("What should be seen")).to_have_value("A paper boat")
    page.get_by_role("checkbox", name="Clay").check()
    page.get_by_label("Weight Clay").fill("0.5")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_text("Clay × 0.5")).to_be_visible()
    assert used() == [("clay", 0.5)]


def test_the_room_of_the_styles_fits_and_reads_well(
    visit: Callable[..., Visit], manager: Member, drawn: None
) -> None:
    here = visit()
    here.sign_in(manager)
    page = here.go("/styles")
    expect(page.get_by_role("listitem").filter(has_text="Ink on paper")).to_be_visible()
    assert here.faults("styles") == []
