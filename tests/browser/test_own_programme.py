"""From an empty installation to a tester's first clip, through the pages alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import Page, expect

from accounts.post.commands import send_due
from accounts.programmes.models import Programme
from core.outbox.commands import deliver
from generation.catalogue.commands import offer_still_model
from stage.rooms import Visit

PATIENCE_MS = 60_000
PASSWORD = "a quiet rehearsal"
STAFF = [
    ("manager", "programme manager"),
    ("first-reviewer", "reviewer"),
    ("second-reviewer", "reviewer"),
    ("finance", "finance"),
]
GUESTS = b"email,language\nartist@example.org,en\nsecond-artist@example.org,en\nnobody\n"


@pytest.mark.timeout(600)
def test_an_empty_house_comes_to_its_first_clip(visit: Callable[..., Visit], db: None) -> None:
    offer_still_model()
    admin = visit()
    come_in(admin, first_link(), "The first one")

    page = admin.go("/setup")
    page.get_by_label("Name", exact=True).fill("Harbour tests")
    page.get_by_label("Short name").fill("harbour")
    page.get_by_role("button", name="Make the programme").click()
    page.get_by_role("button", name="Keep the kind defaults").click()
    expect(page.get_by_text("Published as they are")).to_be_visible()
    page.get_by_role("button", name="Open the programme").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert not Programme.objects.get(slug="harbour").is_open, "nobody is there to keep a promise"
    admin.picture("own-programme-refused")

    for name, role in STAFF:
        invite(admin.go("/people/invitations"), f"{name}@example.org", role)
    page = admin.go("/people/invitations")
    page.get_by_label("List (CSV)").set_input_files(
        {"name": "guests.csv", "mimeType": "text/csv", "buffer": GUESTS}
    )
    page.get_by_role("button", name="Invite all of them").click()
    expect(page.get_by_text("4", exact=True).first).to_be_visible()  # the line that is no address
    admin.picture("own-programme-list")
    assert admin.axe() == []

    letters = post()
    assert len(letters) == len(STAFF) + 2
    for name, _role in STAFF:
        with_key = visit()
        come_in(with_key, letters[f"{name}@example.org"], name)
        if name == "finance":
            set_money_aside(with_key.go("/finance"))

    page = admin.go("/setup")
    expect(page.get_by_text("Nothing is missing, and every promise can be kept.")).to_be_visible()
    page.get_by_role("button", name="Open the programme").click()
    expect(page.get_by_text("The programme is open.")).to_be_visible()
    admin.picture("own-programme-open")

    artist = visit()
    come_in(artist, letters["artist@example.org"], "An artist")
    page = artist.go("/agreement")
    page.get_by_role("button", name=re.compile("accept", re.IGNORECASE)).first.click()
    page = artist.go("/clips/new")
    page.get_by_label("What should be seen").fill("A harbour before sunrise")
    page.get_by_label("Size").select_option("640x360")
    page.get_by_label("Length in seconds").fill("2")
    expect(page.locator(".price .amount")).to_contain_text("2")
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_role("link", name="Watch the clip")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Watch the clip").click()
    page.wait_for_url("**/clips/clp_*")
    artist.picture("own-programme-first-clip")


def first_link() -> str:
    said = StringIO()
    call_command("first_admin", "admin@example.org", stdout=said)
    return said.getvalue().split()[-1]


def come_in(here: Visit, link: str, name: str) -> None:
    """Open the letter's link, choose a password, and stand in the house."""
    page = here.go(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The password again").fill(PASSWORD)
    page.get_by_role("button", name="Come in").click()
    page.wait_for_url(re.compile(r"/(setup)?$"))


def invite(page: Page, address: str, role: str) -> None:
    form = page.get_by_role("form", name="One person")
    form.get_by_label("E-mail address").fill(address)
    form.get_by_label("Role").select_option(label=role)
    form.get_by_role("button", name="Invite").click()
    expect(page.get_by_text(address).first).to_be_visible()


def set_money_aside(page: Page) -> None:
    page.get_by_label(re.compile("^Amount")).fill("5000.00")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("5,000.00").first).to_be_visible()


def post() -> dict[str, str]:
    """What the mail server was given: the link in the letter to each address."""
    while deliver("notices"):
        pass
    while send_due():
        pass
    links = {each.to[0]: re.search(r"http\S+/invitation/\w+", each.body) for each in mail.outbox}
    return {address: found[0] for address, found in links.items() if found}
