"""The inbox, what is mailed, announcements, and a mail as its reader sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.db import transaction
from playwright.sync_api import expect

from accounts.announcements.commands import announce
from accounts.notices.rules import Topic
from accounts.people.models import PersonalDetail
from accounts.post.commands import choose_ways, make_digests, send_due
from accounts.post.rules import Way
from core.clock import now
from core.outbox.commands import deliver
from stage.builders import a_job
from stage.post import told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 780}
WORDS = "From Monday on, clause 4 is shorter.\n\nWhat was decided before stays as it was."


def overflows(page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.fixture
def news(tester, manager):
    announce(actor=manager.actor, title="Clause 4 is shorter", words=WORDS)
    with transaction.atomic():
        job = a_job(tester, prompt="a paper boat drifts down a rain gutter at dusk, from above")
        told(tester, "job.failed", "job", subject_id=job.id)
        told(tester, "token.minted", "credential")
        told(tester)
    while deliver("notices"):
        pass


@pytest.mark.parametrize("view", [{}, {"viewport": PHONE, "color_scheme": "dark"}])
def test_inbox_preferences_and_announcements_are_for_everybody(news, tester, visit, view):
    reader = visit(**view)
    reader.sign_in(tester)
    size = "phone" if view else "desk"
    for path in ("/inbox", "/settings/post", "/announcements"):
        page = reader.go(path)
        reader.picture(f"post{path.replace('/', '-')}-{size}")
        assert reader.axe() == []
        assert not overflows(page)
    page = reader.go("/inbox")
    page.get_by_role("link", name="Announcement: Clause 4 is shorter").click()
    expect(page.get_by_text("What was decided before stays")).to_be_visible()
    reader.picture(f"post-announcement-{size}")
    page = reader.go("/inbox")
    assert page.get_by_role("button", name="Mark read: Announcement").count() == 0
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_text("New", exact=True)).to_have_count(0)


def test_who_gets_no_mail_reads_so_and_presses_once(tester, visit):
    PersonalDetail.objects.filter(person=tester.person).update(mail_bounced_at=now())
    reader = visit(viewport=PHONE)
    reader.sign_in(tester)
    page = reader.go("/")
    reader.picture("post-no-mail-phone")
    assert reader.axe() == []
    page.get_by_role("button", name="It works now: try again").click()
    expect(page.get_by_text("From now on mail goes to you again.")).to_be_visible()


def test_a_manager_is_told_how_many_will_hear_before_the_press(tester, manager, visit):
    writer = visit()
    writer.sign_in(manager)
    page = writer.go("/announcements")
    writer.picture("post-announcing")
    assert writer.axe() == []
    page.get_by_label("Title").fill("Clause 4 is shorter")
    page.get_by_label("What you want to say").fill(WORDS)
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_role("heading", name="Clause 4 is shorter")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_mail_reads_well_on_a_phone(news, tester, visit, clock, scheme):
    choose_ways(actor=tester.actor, ways={Topic.CLIPS: Way.DIGEST})
    send_due()
    # Whatever the hour is now: a digest is due after eight in the morning.
    clock.set((clock.now() + timedelta(days=1)).replace(hour=12))
    make_digests()
    send_due()
    reader = visit(viewport=PHONE, color_scheme=scheme)
    mine = [letter for letter in outbox.outbox if letter.to == [tester.email]]
    assert len(mine) >= 2
    for number, letter in enumerate(mine):
        ((html, _kind),) = letter.alternatives
        reader.page.set_content(html)
        reader.picture(f"mail-{number}-{scheme}")
        assert reader.axe() == []
        assert not overflows(reader.page)
