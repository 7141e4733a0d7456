"""Requests as programs: the docs page writes them anew while one types, the composer on a press."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

from playwright.sync_api import Page

from generation.catalogue.commands import offer_still_model
from stage.cast import Member
from stage.rooms import Visit


def program(page: Page, deed: str, language: str) -> str:
    return page.locator(f"#{deed}-{language}").text_content() or ""


def test_the_programs_follow_what_is_typed(visit: Callable[..., Visit]) -> None:
    here = visit()
    page = here.go("/api/docs/jobs_cancel")
    page.get_by_label("job_id", exact=True).fill("job_01/../2 é")
    address = "/api/v1/jobs/job_01%2F..%2F2%20%C3%A9/cancel"
    for language in ("curl", "python", "javascript"):
        assert address in program(page, "jobs_cancel", language), language
    page = here.go("/api/docs/jobs_create")
    body = page.get_by_label("Body")
    wish = {"prompt": 'It\'s "late", Zoë', "styles": [], "seed": None, "live": True}
    body.fill(json.dumps(wish))
    said = program(page, "jobs_create", "curl").replace("curl -sS", "printf '%s\\n'", 1)
    shown = subprocess.run(["bash", "-c", said], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout.splitlines()[-1]) == wish
    (text,) = re.findall(
        r"json\.dumps\((.*)\)\.encode\(\)\n", program(page, "jobs_create", "python"), re.DOTALL
    )
    assert eval(text) == wish
    said = program(page, "jobs_create", "javascript")
    (text,) = re.findall(r"JSON\.stringify\((.*)\),\n}\);", said, re.DOTALL)
    assert json.loads(text) == wish
    body.fill('{"half": ')
    assert body.get_attribute("aria-invalid") == "true"
    assert program(page, "jobs_create", "javascript") == said


def test_a_program_is_copied_as_it_stands_there(visit: Callable[..., Visit]) -> None:
    here = visit(permissions=["clipboard-read", "clipboard-write"])
    page = here.go("/api/docs/quotes_create")
    page.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == program(page, "quotes_create", "curl")
    assert "$GREENROOM_TOKEN" in copied


def test_without_scripts_the_programs_stand_there_and_no_field_does(
    visit: Callable[..., Visit],
) -> None:
    here = visit(java_script_enabled=False)
    page = here.go("/api/docs/quotes_create")
    assert "urllib.request" in page.locator("pre[data-language=python]").inner_text()
    assert page.locator("[data-fields]").is_hidden()
    assert page.get_by_role("button", name="Copy as curl").count() == 0


def test_an_operation_is_readable_everywhere(visit: Callable[..., Visit]) -> None:
    here = visit()
    assert here.faults_at("/api/docs/jobs_create") == []


def test_the_composer_shows_its_order_as_a_program(
    visit: Callable[..., Visit], tester: Member
) -> None:
    offer_still_model()
    here = visit()
    here.sign_in(tester)
    page = here.go("/clips/new")
    page.get_by_label("What should be seen").fill("A boat named 'Zoë'")
    page.get_by_role("button", name="Show this order as a program").click()
    text = page.locator("#program-curl").inner_text()
    assert "Zoë" in text
    assert "/api/v1/jobs" in text
    assert page.get_by_label("What should be seen").input_value() == "A boat named 'Zoë'"
    page.locator("#programs").scroll_into_view_if_needed()
    here.picture("composer-programs")
    assert here.faults("programs") == []
