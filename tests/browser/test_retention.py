"""Storage for a manager, and a clip whose files go and are gone, for the eyes and for axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.programmes.models import Programme
from accounts.retention.models import RetentionVersion
from core.ids import shown
from review.retention.tasks import retain
from stage.builders import a_clip
from stage.cast import Member
from stage.clock import Clock
from stage.review import a_submission, open_review
from stage.rooms import Visit


@pytest.mark.parametrize("width", [360, 1280])
def test_a_manager_reads_what_is_stored_and_what_goes(
    visit: Callable[..., Visit],
    programme: Programme,
    tester: Member,
    manager: Member,
    clock: Clock,
    width: int,
) -> None:
    open_review(programme)
    clock.advance(days=-40)
    then = Member(tester.person, programme)
    for seed in range(2):
        a_clip(then, seed=seed)
    clock.advance(days=20)
    a_submission(Member(tester.person, programme))
    clock.advance(days=20)
    RetentionVersion.objects.create(programme=programme, number=1, draft_days=60)
    here = visit(viewport={"width": width, "height": 800})
    here.sign_in(manager)
    page = here.go("/storage")
    expect(page.get_by_role("heading", name="What it will come to")).to_be_visible()
    expect(page.get_by_text("Under the terms in force")).to_be_visible()
    here.picture(f"storage-{width}")
    assert not page.evaluate("() => document.querySelector('main').scrollWidth > innerWidth")
    assert here.axe() == []


def test_an_owner_removes_a_clip_and_its_page_stays(
    visit: Callable[..., Visit], tester: Member, clock: Clock
) -> None:
    clip = a_clip(tester)
    here = visit()
    here.sign_in(tester)
    page = here.go(f"/clips/{shown('clip', clip.id)}")
    page.get_by_role("link", name="Remove its files").click()
    here.picture("remove")
    assert here.axe() == []
    page.get_by_role("button", name="Remove them in a day").click()
    expect(page.get_by_role("button", name="Keep its files")).to_be_visible()
    here.picture("files-go")
    here.go("/")
    here.picture("card-goes")
    clock.advance(days=1, minutes=1)
    retain()
    here.go(f"/clips/{shown('clip', clip.id)}")
    expect(page.get_by_text("The files of this clip are gone.")).to_be_visible()
    here.picture("files-gone")
    assert here.axe() == []
    here.go("/")
    expect(page.get_by_text("Its files were removed; its record stays.")).to_be_visible()
    here.picture("card-gone")
