"""A reference is sent by keyboard, by drop and without a script, and a clip begins with it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from generation.catalogue.commands import offer_still_model
from stage.cast import Member
from stage.rooms import Visit

PATIENCE_MS = 60_000


def a_picture(folder: Path) -> Path:
    picture = Image.new("RGB", (640, 360), "#20343a")
    drawn = ImageDraw.Draw(picture)
    drawn.polygon([(220, 220), (420, 220), (370, 270), (270, 270)], fill="#e8e2d0")
    drawn.polygon([(320, 90), (320, 210), (410, 210)], fill="#d0602f")
    kept = folder / "a boat.png"
    picture.save(kept)
    return kept


def test_by_keyboard_from_the_file_to_the_clip(
    visit: Callable[..., Visit], tester: Member, tmp_path: Path
) -> None:
    offer_still_model()
    here = visit()
    here.sign_in(tester)
    page = here.go("/references")
    assert here.axe() == []
    here.picture("references-empty")
    page.get_by_label("Picture or short clip").set_input_files(a_picture(tmp_path))
    expect(page.get_by_role("status").filter(has_text="a boat.png")).to_be_visible()
    page.get_by_label("I made it, and it is mine to use").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send it").focus()
    page.keyboard.press("Enter")
    picture = page.locator(".references img")
    expect(picture).to_be_visible()
    assert (
        picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") == 640
    )
    assert here.axe() == []
    here.picture("references-one")
    _in_every_dress(here, "references")

    page.get_by_role("link", name="Use in a new clip: a boat.png").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/clips/new?first=*")
    expect(page.get_by_label("Begins with")).to_have_value(_value_of(page))
    page.get_by_label("What should be seen").fill("A paper boat sails off")
    page.get_by_label("Size").select_option("640x360")
    page.get_by_label("Length in seconds").fill("1")
    expect(page.locator(".price .amount")).to_have_text("1 credit")
    expect(page.locator("price-preview[aria-busy]")).to_have_count(0)
    assert here.axe() == []
    _in_every_dress(here, "composer")
    page.get_by_role("button", name="Make this clip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_role("link", name="Watch the clip")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".references img")).to_be_visible()
    assert here.axe() == []
    page.get_by_role("link", name="Watch the clip").click()
    page.wait_for_url("**/clips/clp_*")
    expect(page.locator(".references img")).to_be_visible()
    assert here.axe() == []
    _in_every_dress(here, "clip")

    here.go("/references")
    page.get_by_role("button", name="Remove: a boat.png").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("There are none yet.")).to_be_visible()


def test_a_file_is_dropped_and_one_is_pasted(
    visit: Callable[..., Visit], tester: Member, tmp_path: Path
) -> None:
    here = visit()
    here.sign_in(tester)
    page = here.go("/references")
    content = base64.b64encode(a_picture(tmp_path).read_bytes()).decode()
    for kind, name in (("drop", "dropped.png"), ("paste", "pasted.png")):
        page.evaluate(
            """([kind, name, content]) => {
                const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
                const moved = new DataTransfer();
                moved.items.add(new File([bytes], name, { type: "image/png" }));
                const said = kind === "drop"
                    ? new DragEvent("drop", { bubbles: true, dataTransfer: moved })
                    : new ClipboardEvent("paste", { bubbles: true, clipboardData: moved });
                document.querySelector("reference-drop form").dispatchEvent(said);
            }""",
            [kind, name, content],
        )
        expect(page.get_by_role("status").filter(has_text=name)).to_be_visible()
        page.get_by_label("I made it, and it is mine to use").check()
        page.get_by_role("button", name="Send it").click()
        expect(page.locator(".references .title").filter(has_text=name)).to_be_visible()


def test_without_a_script_too(visit: Callable[..., Visit], tester: Member, tmp_path: Path) -> None:
    offer_still_model()
    here = visit(java_script_enabled=False)
    here.sign_in(tester)
    page = here.go("/references")
    page.get_by_label("Picture or short clip").set_input_files(a_picture(tmp_path))
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("Say why you may use this.")).to_be_visible()
    page.get_by_label("Picture or short clip").set_input_files(a_picture(tmp_path))
    page.get_by_label("I made it, and it is mine to use").check()
    page.get_by_role("button", name="Send it").click()
    page.get_by_role("link", name="Use in a new clip: a boat.png").click()
    page.get_by_label("What should be seen").fill("A paper boat sails off")
    page.get_by_label("Model").select_option("still")
    page.get_by_role("button", name="Look for new references").click()
    expect(page.get_by_label("What should be seen")).to_have_value("A paper boat sails off")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator(".references img")).to_be_visible()


def _value_of(page: Page) -> str:
    return page.url.partition("first=")[2]


def _in_every_dress(here: Visit, name: str) -> None:
    """Wide and narrow, light and dark: nothing wider than the screen, and pictures for the eyes."""
    for scheme in ("light", "dark"):
        here.page.emulate_media(color_scheme=scheme)
        for width in (1280, 360):
            here.page.set_viewport_size({"width": width, "height": 900})
            assert here.page.evaluate("document.documentElement.scrollWidth") <= width
            here.picture(f"{name}-{scheme}-{width}")
    here.page.emulate_media(color_scheme="light")
    here.page.set_viewport_size({"width": 1280, "height": 900})
