"""The navigation offers what one's roles open, and every room it offers opens."""

from __future__ import annotations

import re

import pytest

from core.clock import CoreNow
from greenroom.portal.rooms import OWN, WORK

pytestmark = pytest.mark.django_db

CAST = ["tester", "reviewer", "finance", "manager", "auditor"]


def offered(member, page="/"):
    """The addresses in the top of a page."""
    top = member.client.get(page).content.decode().partition("</header>")[0]
    return re.findall(r'<a href="([^"]+)"', top.partition("<nav")[2])


@pytest.mark.parametrize("role", CAST)
def test_every_room_that_is_offered_opens(role, request):
    member = request.getfixturevalue(role)
    rooms = offered(member)
    assert len(rooms) == len(set(rooms))
    assert {room: member.client.get(room).status_code for room in rooms} == dict.fromkeys(
        rooms, 200
    )


@pytest.mark.parametrize("role", CAST)
def test_a_room_is_offered_to_the_roles_it_is_for_and_to_no_other(role, request):
    member = request.getfixturevalue(role)
    mine = [room for room in [*WORK, *OWN] if room.roles is None or role in room.roles]
    assert len(offered(member)) == len(mine)


def test_the_room_one_is_in_is_marked(tester):
    top = tester.client.get("/tokens").content.decode().partition("</header>")[0]
    assert re.findall(r'<a href="([^"]+)" aria-current="(\w+)"', top) == [("/tokens", "page")]


def test_who_is_in_no_programme_is_offered_what_is_everybodys(stranger):
    stranger.programme.memberships.update(ended_at=CoreNow())
    own = {"/credits", "/agreement", "/consents", "/tokens", "/settings"}
    assert set(offered(stranger)) == {"/", "/showcase"} | own


def test_who_is_not_signed_in_is_offered_what_is_open_and_the_way_in(client):
    top = client.get("/", headers={"host": "localhost"}).content.decode().partition("</header>")[0]
    found = re.findall(r'href="([^"]+)"', top.partition("<nav")[2])
    assert found == ["/showcase", "/programmes", "/account/login/"]
