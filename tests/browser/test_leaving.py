"""Talking to a person, taking everything along and leaving for good, in a real browser."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from browser.test_pages import _plain_words
from django.conf import settings

from accounts.conversations.models import Conversation
from accounts.exports.commands import ask_export
from accounts.exports.models import Export
from core.ids import shown
from greenroom.exports.commands import build_exports
from stage.cast import Member
from stage.clock import Clock
from stage.life import Life, Others, a_life
from stage.rooms import DESKTOP, PHONE, Visit


@pytest.fixture
def others(second_tester: Member, reviewer: Member, manager: Member, finance: Member) -> Others:
    return Others(second_tester, reviewer, manager, finance)


@pytest.fixture
def life(tester: Member, others: Others, clock: Clock) -> Life:
    made = a_life(tester, others, clock)
    ask_export(actor=tester.actor)
    build_exports()
    return made


def pages(life: Life, others: Others) -> list[tuple[Member, str]]:
    about = Conversation.objects.get(party=life.member.party)
    conversation = f"/conversations/{shown('conversation', about.id)}"
    declined = shown("clip", life.declined.id)
    return [
        (life.member, "/conversations"),
        (life.member, conversation),
        (life.member, f"/conversations/new?clip={declined}"),
        (others.manager, "/conversations"),
        (others.manager, conversation),
        (life.member, "/exports"),
        (life.member, "/leave"),
    ]


def test_every_page_is_accessible_and_fits(
    visit: Callable[..., Visit], life: Life, others: Others
) -> None:
    here = visit()
    found = []
    for number, (member, path) in enumerate(pages(life, others)):
        here.sign_in(member)
        found += here.faults_at(path, f"leaving-{number:02d}")
    assert found == []


def test_no_page_shows_a_word_that_was_not_translated(
    visit: Callable[..., Visit], life: Life, others: Others
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    life.member.person.detail.refresh_from_db()
    found = []
    for member, path in pages(life, others):
        here.sign_in(member)
        found += _plain_words(here, path)
    assert found == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_an_archive_opens_without_a_network(
    visit: Callable[..., Visit], life: Life, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    export = Export.objects.get()
    with zipfile.ZipFile(Path(settings.MEDIA_FOLDER) / export.storage_key) as archive:
        archive.extractall(tmp_path)
    here = visit(color_scheme=scheme, viewport=size, offline=True)
    asked: list[str] = []
    here.page.on("request", lambda request: asked.append(request.url))
    here.page.goto(f"file://{tmp_path}/index.html")
    assert here.axe() == []
    assert not here.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    pictures = here.page.evaluate(
        "() => [...document.images].map((one) => one.complete && one.naturalWidth)"
    )
    assert pictures
    assert all(pictures)
    assert all(url.startswith("file://") for url in asked)
    here.picture(f"archive-{size['width']}")


def test_somebody_takes_everything_along_and_leaves(
    visit: Callable[..., Visit], life: Life
) -> None:
    # Without a second step, which has pages of its own.
    Authenticator.objects.filter(user=life.member.person).delete()
    here = visit()
    here.sign_in_by_form(life.member)
    page = here.go("/exports")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert zipfile.ZipFile(download.value.path()).testzip() is None

    page = here.go("/leave")
    page.get_by_role("link", name="Go on to leaving").click()
    if "/reauthenticate" in page.url:
        page.get_by_label("Password").fill(life.member.password)
        page.get_by_role("button", name="Go on").click()
    here.picture("leaving-confirm")
    page.get_by_label("Type the address you sign in with").fill(life.member.email)
    page.get_by_role("button", name="Erase me for good").click()
    here.picture("leaving-receipt")
    link = page.get_by_label("The link to this receipt.").input_value()
    assert here.axe() == []
    page.goto(link)
    assert page.get_by_text("What is left points to nobody.").is_visible()
    assert page.get_by_role("link", name="Sign in").first.is_visible()
