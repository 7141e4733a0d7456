"""What everybody can see, in a real browser: it plays, it fits, it can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser.test_pages import _plain_words

from accounts.people.models import PersonalDetail
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.ids import shown
from review.credits.rules import DisplayForm
from review.releases.commands import make_share_link, release_clip, take_down_release
from stage.builders import a_clip
from stage.cast import Member
from stage.clock import Clock
from stage.review import a_decision, a_submission, open_review
from stage.rooms import Visit

LONG = "Donaudampfschifffahrtsgesellschaft" * 3


@pytest.fixture
def places(tester: Member, reviewer: Member, clock: Clock) -> dict[str, str]:
    """Public pages by name: a release on the showcase, the same by link, terms and figures."""
    open_review(tester.programme)
    publish_rate(
        programme_id=tester.programme.id, kind=ActKind.RELEASE, amount_micro=5_000_000, words=LONG
    )
    PersonalDetail.objects.filter(person=tester.person).update(display_name=LONG)
    clip = a_clip(tester, prompt=LONG * 4)
    a_submission(tester, clip, display_form=DisplayForm.NAME)
    a_decision(reviewer, clock)
    a_submission(tester)
    a_decision(reviewer, clock, "declined")
    release = release_clip(
        actor=tester.actor, clip_id=shown("clip", clip.id), title=LONG, shows_prompt=True
    )
    public_id = shown("release", release.id)
    _link, secret = make_share_link(actor=tester.actor, release_id=public_id)
    programme = f"/programmes/{tester.programme.slug}"
    return {
        "showcase": "/showcase",
        "release": f"/showcase/{public_id}",
        "shared": f"/shared/{secret}",
        "programmes": "/programmes",
        "programme": programme,
        "figures": f"{programme}/figures",
    }


def test_public_pages_are_accessible_and_no_wider_than_the_screen(
    visit: Callable[..., Visit], places: dict[str, str]
) -> None:
    here = visit()
    assert [fault for path in places.values() for fault in here.faults_at(path)] == []


def test_no_public_page_shows_a_word_that_was_not_translated(
    visit: Callable[..., Visit], places: dict[str, str]
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    assert [fault for path in places.values() for fault in _plain_words(here, path)] == []


@pytest.mark.parametrize("place", ["release", "shared"])
def test_a_visitor_sees_the_clip_play_until_it_is_taken_down(
    visit: Callable[..., Visit], tester: Member, places: dict[str, str], place: str
) -> None:
    here = visit()
    page = here.go(places[place])
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    assert page.evaluate("() => document.querySelector('video').videoWidth") == 128
    video = page.locator("video").get_attribute("src")
    take_down_release(actor=tester.actor, release_id=places["release"].rpartition("/")[2])
    gone = here.context.request.get(f"{here.room.address}{video}")
    assert gone.status == (401 if place == "release" else 404)
    page.reload()
    assert page.get_by_role("heading", name="There is nothing here").is_visible()
