"""The page that says what goes and what stays, the last question, the receipt without a sign-in."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from journeys.forms import send

from accounts.people.models import Person
from core.seal.queries import is_signed_here
from stage.cast import ADDRESS, PASSWORD
from stage.money import a_funding, a_payout, a_rate, an_earning


def show_again(client):
    client.post("/account/reauthenticate/", {"password": PASSWORD})


@pytest.fixture
def receipt(tester):
    """The page after the last press."""
    show_again(tester.client)
    return send(tester.client, "/leave/confirm", "/leave/confirm", status=201, address=tester.email)


def link_in(page):
    return page.text.split('id="link" value="')[1].split('"')[0].partition(ADDRESS)[2]


def test_before_anything_it_says_what_goes_and_what_stays(tester):
    page = tester.client.get("/leave").text
    assert "What goes" in page
    assert "What stays, why and until when" in page
    assert "It is part of the record of work that was judged and paid." in page
    assert 'href="/exports"' in page
    assert Person.objects.filter(party=tester.party).exists()


def test_it_asks_once_more_who_one_is(tester):
    answer = tester.client.get("/leave/confirm")
    assert answer.status_code == 302
    assert "/account/reauthenticate/" in answer.headers["location"]


def test_another_address_is_refused_and_nothing_goes(tester):
    show_again(tester.client)
    page = send(
        tester.client, "/leave/confirm", "/leave/confirm", status=422, address="no@example.org"
    )
    assert "This is not the address you sign in with." in page.text
    assert Person.objects.filter(party=tester.party).exists()


def test_the_link_is_shown_once_and_opens_without_a_sign_in(tester, receipt):
    link = link_in(receipt)
    assert tester.email not in receipt.text
    stranger = Client(headers={"host": ADDRESS})
    page = stranger.get(link)
    assert page.status_code == 200
    assert 'id="link"' not in page.text
    assert "What is left points to nobody." in page.text
    assert 'href="/keys"' in page.text
    document = json.loads(stranger.get(f"{link}/receipt.json").content)
    assert is_signed_here(document)
    assert stranger.get(f"{link[:-1]}x").status_code == 404


def test_afterwards_one_is_signed_out(tester, receipt):
    assert tester.client.get("/settings").status_code == 302


def test_while_a_payout_is_on_its_way_it_says_until_when(
    programme, tester, reviewer, finance, manager
):
    a_rate(programme.id)
    a_funding(finance)
    an_earning(tester, reviewer)
    a_payout(tester, finance, manager)
    assert "A payout to you is on its way." in tester.client.get("/leave").text
    show_again(tester.client)
    page = send(tester.client, "/leave/confirm", "/leave/confirm", status=201, address=tester.email)
    assert "at the latest" in page.text
    assert "Money is still owed." in page.text


def test_the_last_manager_is_told_why_not(manager):
    show_again(manager.client)
    page = send(
        manager.client, "/leave/confirm", "/leave/confirm", status=409, address=manager.email
    )
    assert "last_manager" in page.text


def test_over_the_api_it_is_the_portals_and_fresh(tester):
    wish = {"address": tester.email}
    assert tester.api.post("/api/v1/erasures", wish).json()["code"] == "wrong_scope"
    stale = tester.client.post("/api/v1/erasures", wish, content_type="application/json")
    assert stale.json()["code"] == "fresh_sign_in_required"
    show_again(tester.client)
    done = tester.client.post("/api/v1/erasures", wish, content_type="application/json")
    assert (done.status_code, done.json()["waits_for"]) == (201, "")
    assert Client(headers={"host": ADDRESS}).get(done.json()["url"]).status_code == 200
