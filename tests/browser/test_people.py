"""The People room on a desk and on a phone, in short words and in the longest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.cohorts.commands import make_cohort, seat_member
from accounts.invitations.commands import invite_person, resend_invitation
from accounts.people.models import PersonalDetail
from accounts.programmes.models import Role
from core.ids import shown
from stage.builders import a_job
from stage.cast import Member
from stage.clock import Clock
from stage.rooms import Room, Visit


@pytest.fixture
def full(
    room: Room, tester: Member, reviewer: Member, auditor: Member, finance: Member, clock: Clock
) -> Member:
    """A programme with people, a long name, cohorts and invitations."""
    programme = tester.programme
    PersonalDetail.objects.filter(person=tester.person).update(
        display_name="Wolfeschlegelsteinhausenbergerdorff the Younger of Upper Lower Saxony",
        languages=["en", "de"],
        contact="on the board beside the kitchen, or by telephone",
    )
    PersonalDetail.objects.filter(person=reviewer.person).update(display_name="Ada Lovelace")
    for name in ("Spring artists", "Red team of the second week, afternoons only"):
        cohort = make_cohort(programme_id=programme.id, name=name)
        seat_member(cohort_id=cohort.id, party_id=tester.party_id)
    invited = [
        invite_person(programme_id=programme.id, email=f"{name}@example.org", role=Role.TESTER)
        for name in ("somebody.with.a.very.long.address.indeed", "short")
    ]
    clock.advance(minutes=5)
    resend_invitation(invitation_id=invited[0].id)
    with room.rest():  # its worker would take the job that is held here
        a_job(tester, state="held")
    return tester


@pytest.mark.parametrize(("width", "language"), [(360, "en-XA"), (360, "en"), (1280, "en")])
def test_every_page_of_it_fits_and_can_be_used(
    visit: Callable[..., Visit], manager: Member, full: Member, width: int, language: str
) -> None:
    here = visit(
        viewport={"width": width, "height": 800}, extra_http_headers={"Accept-Language": language}
    )
    here.sign_in(manager)
    person = f"/people/{shown('party', full.party_id)}"
    pages = {
        "people": "/people",
        "invitations": "/people/invitations",
        "cohorts": "/people/cohorts",
        "person": person,
        "leave": f"{person}/leave",
    }
    for name, address in pages.items():
        page = here.go(address)
        here.picture(f"{name}-{width}-{language}")
        assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth"), name
        assert here.axe() == [], name


def test_a_list_is_sent_and_a_member_leaves_by_the_keyboard(
    visit: Callable[..., Visit], manager: Member, full: Member
) -> None:
    here = visit(viewport={"width": 360, "height": 800})
    here.sign_in(manager)
    page = here.go("/people/invitations")
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"a@x.org\nnobody\nb@x.org"}
    )
    page.get_by_role("button", name="Invite all of them").press("Enter")
    page.get_by_role("heading", name="2 people are invited").wait_for()
    here.picture("list-360")
    assert here.axe() == []
    page = here.go(f"/people/{shown('party', full.party_id)}")
    page.get_by_role("link", name="End the membership").press("Enter")
    page.get_by_label("Their part in it is over").press("Space")
    page.get_by_role("button", name="End this membership").press("Enter")
    page.wait_for_url("**/people")
    assert full.email not in page.content()


def test_administrators_have_their_page(
    visit: Callable[..., Visit], administrator: Member, second_administrator: Member
) -> None:
    here = visit(viewport={"width": 360, "height": 800})
    here.sign_in(administrator)
    here.go("/administrators")
    here.picture("administrators-360")
    assert here.axe() == []


def test_a_programme_without_anybody_says_so(
    visit: Callable[..., Visit], administrator: Member
) -> None:
    here = visit()
    here.sign_in(administrator)
    page = here.go("/people")
    assert "Nobody is here yet" in page.content()
    here.picture("people-empty")
