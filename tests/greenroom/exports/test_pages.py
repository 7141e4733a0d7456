"""The page and the API of exports."""

from __future__ import annotations

from journeys.forms import send

from accounts.programmes.models import Membership
from core.clock import CoreNow
from greenroom.exports.commands import build_exports


def test_one_asks_on_the_page_and_finds_it_there(tester):
    send(tester.client, "/exports", "/exports")
    page = tester.client.get("/exports").text
    assert "Is being put together." in page
    assert "One is being put together already." in page
    build_exports()
    page = tester.client.get("/exports").text
    assert "Ready to be downloaded." in page
    assert "/file" in page


def test_who_is_in_no_programme_finds_the_page_too(tester, clock):
    Membership.objects.filter(party=tester.party).update(ended_at=CoreNow())
    assert "You have asked for none yet." in tester.client.get("/exports").text
    send(tester.client, "/exports", "/exports")


def test_a_program_asks_and_follows(tester, second_tester, clock):
    asked = tester.api.post("/api/v1/exports", {})
    assert (asked.status_code, asked.json()["state"]) == (201, "asked")
    address = asked.json()["url"]
    build_exports()
    ready = tester.api.get(address).json()
    assert (ready["state"], ready["file"]) == ("ready", f"/exports/{ready['id']}/file")
    assert tester.api.get("/api/v1/exports").json()["items"] == [ready]
    assert second_tester.api.get(address).status_code == 404
    clock.advance(days=7, seconds=1)
    ended = tester.api.get(address).json()
    assert (ended["state"], ended["file"]) == ("ended", None)


def test_settings_lead_to_it(tester):
    assert 'href="/exports"' in tester.client.get("/settings").text
