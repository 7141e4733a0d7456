"""Payouts over the native API."""

from __future__ import annotations

import pytest

from accounts.programmes.models import Role
from core.ids import new_id, shown
from core.money import MICRO
from stage.cast import Member, a_member, api_of
from stage.money import a_funding, a_payout, a_rate, an_earning

pytestmark = pytest.mark.django_db

PAYOUTS = "/api/v1/payouts"


@pytest.fixture
def owed(tester: Member, reviewer: Member, finance: Member) -> Member:
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    return tester


def wish(member: Member) -> dict[str, str]:
    return {"party": shown("party", member.party_id)}


def test_a_payout_goes_its_way_over_the_api(owed, finance, manager, auditor):
    key = {"Idempotency-Key": "k1"}
    made = finance.api.post(PAYOUTS, wish(owed), headers=key)
    again = finance.api.post(PAYOUTS, wish(owed), headers=key)
    assert (made.status_code, again.json()) == (201, made.json())
    url, body = made.headers["Location"], made.json()
    assert (body["state"], body["amount_micro"]) == ("proposed", 25 * MICRO)
    assert auditor.api.get(url).json() == body

    digest = {"instruction_sha256": body["instruction_sha256"]}
    own = finance.api.post(f"{url}/approve", digest)
    assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
    approved = manager.api.post(f"{url}/approve", digest).json()
    assert approved["state"] == "approved"
    assert approved["approvals"][0]["approver"] == shown("party", manager.party_id)

    paid = finance.api.post(f"{url}/pay", {"reference": "SEPA 17"})
    assert (paid.status_code, paid.json()["state"]) == (200, "paid")
    assert paid.json()["transaction"].startswith("txn_")
    twice = finance.api.post(f"{url}/pay", {"reference": "SEPA 17"})
    assert (twice.status_code, twice.json()["code"]) == (409, "state_changed")
    assert owed.api.get("/api/v1/earnings").json()["owed_micro"] == 0
    assert auditor.api.get(PAYOUTS).json()["items"] == [paid.json()]


def test_refusals_have_codes(owed, finance, manager):
    payout = a_payout(owed, finance)
    url = f"{PAYOUTS}/{shown('payout', payout.id)}"
    for client, address, body, status, code in [
        (finance, PAYOUTS, wish(owed), 409, "payout_open"),
        (finance, PAYOUTS, wish(manager), 422, "nothing_owed"),
        (finance, PAYOUTS, wish(finance), 403, "own_payout"),
        (finance, PAYOUTS, {"party": "tester"}, 422, "fields_invalid"),
        (finance, f"{url}/pay", {"reference": "x"}, 409, "state_changed"),
        (finance, f"{url}/pay", {"reference": " "}, 422, "reference_invalid"),
        (manager, f"{url}/approve", {"instruction_sha256": "0"}, 409, "instruction_changed"),
    ]:
        answer = client.api.post(address, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_payout_is_cancelled_over_the_api(owed, finance):
    url = f"{PAYOUTS}/{shown('payout', a_payout(owed, finance).id)}"
    assert finance.api.post(f"{url}/cancel").json()["state"] == "cancelled"
    assert finance.api.post(f"{url}/cancel").status_code == 200


def test_scopes_are_asked_for_each_move(owed, finance):
    url = f"{PAYOUTS}/{shown('payout', a_payout(owed, finance).id)}"
    reader = api_of(finance.token("ledger:read"))
    assert reader.get(url).status_code == reader.get(PAYOUTS).status_code == 200
    for address, body in [
        (PAYOUTS, wish(owed)),
        (f"{url}/approve", {"instruction_sha256": "0"}),
        (f"{url}/pay", {"reference": "x"}),
        (f"{url}/cancel", {}),
    ]:
        answer = reader.post(address, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")
    proposer = api_of(finance.token("payouts:propose"))
    assert proposer.get(url).json()["code"] == "wrong_scope"
    assert proposer.post(f"{url}/cancel").status_code == 200


@pytest.mark.parametrize("who", ["tester", "reviewer"])
def test_payouts_are_not_there_for_others(owed, finance, request, who):
    member = request.getfixturevalue(who)
    url = f"{PAYOUTS}/{shown('payout', a_payout(owed, finance).id)}"
    for address in (PAYOUTS, url):
        assert member.api.get(address).status_code == 404
    for move, body in [("pay", {"reference": "x"}), ("cancel", {})]:
        assert member.api.post(f"{url}/{move}", body).status_code == 404


def test_another_programmes_payout_looks_like_an_absent_one(owed, finance, stranger):
    theirs = a_member(stranger.programme, Role.FINANCE, name="their finance")
    url = f"{PAYOUTS}/{shown('payout', a_payout(owed, finance).id)}"
    absent = f"{PAYOUTS}/{shown('payout', new_id())}"
    assert theirs.api.get(url).status_code == 404
    assert theirs.api.get(url).content == theirs.api.get(absent).content
    assert theirs.api.post(f"{url}/cancel").status_code == 404
    assert theirs.api.post(PAYOUTS, wish(owed)).status_code == 404
    assert theirs.api.get(PAYOUTS).json()["items"] == []
