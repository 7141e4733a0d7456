from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from generation.catalogue.commands import offer_still_model
from generation.engines import framecode
from stage.cast import Member
from stage.rooms import Visit

PATIENCE_MS = 60_000


def test_a_tester_signs_in_with_a_passkey(visit: Callable[..., Visit], tester: Member) -> None:
    here = visit()
    _with_an_authenticator(here)
    here.sign_in_by_form(tester)
    page = here.go("/account/2fa/passkeys/add/")
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(tester.password)
        page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_label("It may sign me in by itself").check()
    page.locator("#mfa_webauthn_add").click()
    # The first way of a second factor brings the codes along, and they speak last.
    expect(page.get_by_text("You have new recovery codes")).to_be_visible(timeout=PATIENCE_MS)

    here.go("/")
    page.locator("details.who summary").click()
    page.get_by_role("button", name="Sign out").click()
    here.go("/account/login/")
    page.get_by_role("button", name="passkey").click()
    page.wait_for_url(f"{here.room.address}/")
    expect(page.get_by_role("heading", name="Studio")).to_be_visible()


def test_a_clip_is_made_watched_and_sought_to_the_exact_frame(
    visit: Callable[..., Visit], tester: Member
) -> None:
    offer_still_model()
    here = visit()
    here.sign_in(tester)
    page = here.go("/clips/new")
    page.get_by_label("What should be seen").fill("A harbour before sunrise")
    page.get_by_label("Size").select_option("640x360")
    page.get_by_label("Length in seconds").fill("10")
    expect(page.locator(".price .amount")).to_contain_text("10")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_role("link", name="Watch the clip")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Watch the clip").click()
    page.wait_for_url("**/clips/clp_*")

    for wanted in (0, 1, 97, 239, 96):
        assert _frame_after_seeking(page, wanted) == wanted
    page.locator("video").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('[data-part=frame]').value === '97'")
    assert _frame_on_screen(page) == 97
    assert here.axe() == []


def test_progress_arrives_without_a_reload(visit: Callable[..., Visit], tester: Member) -> None:
    offer_still_model()
    here = visit()
    here.sign_in(tester)
    page = here.go("/clips/new")
    page.get_by_label("What should be seen").fill("Rain on a skylight")
    page.get_by_label("Size").select_option("1920x1080")
    page.get_by_label("Length in seconds").fill("10")
    expect(page.locator(".price .amount")).to_contain_text("40")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    page.evaluate("() => { window.untouched = true; }")
    expect(page.get_by_text("Turning it into pictures.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="Watch the clip")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("() => window.untouched") is True


def test_the_way_through_works_without_javascript(
    visit: Callable[..., Visit], tester: Member
) -> None:
    offer_still_model()
    here = visit(java_script_enabled=False)
    here.sign_in_by_form(tester)
    page = here.go("/clips/new")
    page.get_by_label("What should be seen").fill("A quiet stair")
    page.get_by_label("Size").select_option("640x360")
    page.get_by_label("Length in seconds").fill("3")
    page.get_by_role("button", name="Show price").click()
    expect(page.locator(".price .amount")).to_contain_text("3")
    expect(page.get_by_label("What should be seen")).to_have_value("A quiet stair")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    for _look in range(200):
        if page.get_by_role("link", name="Watch the clip").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    page.get_by_role("link", name="Watch the clip").click()
    expect(page.locator("video")).to_have_attribute("controls", "")


def _with_an_authenticator(here: Visit) -> None:
    """A platform authenticator that says yes, as a laptop's fingerprint reader would."""
    session = here.context.new_cdp_session(here.page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def _frame_after_seeking(page: Page, wanted: int) -> int:
    page.get_by_label("Frame", exact=True).last.fill(str(wanted))
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => { const v = document.querySelector('video');"
        " return !v.seeking && v.readyState >= 2; }"
    )
    return _frame_on_screen(page)


def _frame_on_screen(page: Page) -> int:
    """The number that the still engine drew into the picture, read from what the browser shows."""
    picture: str = page.evaluate(
        """async () => {
            const video = document.querySelector('video');
            await new Promise((done) => setTimeout(done, 150));
            const canvas = document.createElement('canvas');
            canvas.width = video.videoWidth; canvas.height = video.videoHeight;
            canvas.getContext('2d').drawImage(video, 0, 0);
            return canvas.toDataURL('image/png').split(',')[1];
        }"""
    )
    shown = Image.open(BytesIO(b64decode(picture))).convert("RGB")
    return framecode.read_frame_number(np.asarray(shown))
