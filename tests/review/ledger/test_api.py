"""Earnings and the ledger over the native API."""

from __future__ import annotations

import pytest

from accounts.programmes.models import Role
from core.ids import new_id, shown
from core.money import MICRO
from review.ledger.queries import ledger_discrepancies, treasury_of
from review.payouts.commands import pay_payout
from stage.cast import Member, a_member, api_of
from stage.money import a_funding, a_payout, a_rate, an_earning

pytestmark = pytest.mark.django_db

FUNDING = {"amount_micro": 40 * MICRO, "words": "First instalment"}


@pytest.fixture
def paid(tester: Member, reviewer: Member, finance: Member, manager: Member) -> Member:
    """Earned 25.00 twice, of which the first was paid."""
    a_rate(tester.programme.id)
    an_earning(tester, reviewer)
    a_funding(finance)
    payout = a_payout(tester, finance, manager)
    pay_payout(actor=finance.actor, payout_id=shown("payout", payout.id), reference="SEPA 17")
    an_earning(tester, reviewer)
    return tester


def test_the_sum_is_what_it_says(paid):
    assert paid.api.get("/api/v1/earnings").json() == {
        "currency": "EUR",
        "earned_micro": 50 * MICRO,
        "paid_micro": 25 * MICRO,
        "owed_micro": 25 * MICRO,
    }


def test_the_lines_hold_what_each_was_for(paid):
    newest, payout, first = paid.api.get("/api/v1/earnings/lines").json()["items"]
    assert (newest["kind"], newest["act"], newest["rate_micro"]) == (
        "act",
        "bug_report",
        25 * MICRO,
    )
    assert newest["subject"].startswith("ctb_")
    assert newest["rate"].startswith("rat_")
    assert (payout["kind"], payout["act"], payout["rate"]) == ("payout", None, None)
    assert payout["reference"] == "SEPA 17"
    assert [each["amount_micro"] // MICRO for each in (newest, payout, first)] == [25, -25, 25]
    assert [each["owed_micro"] // MICRO for each in (newest, payout, first)] == [25, 0, 25]


def test_the_pages_of_a_statement_hold_every_line_once(tester, reviewer):
    a_rate(tester.programme.id, MICRO)
    for _number in range(5):
        an_earning(tester, reviewer)
    seen, cursor = [], ""
    while cursor is not None:
        page = tester.api.get(f"/api/v1/earnings/lines?limit=2{cursor}").json()
        seen += [item["owed_micro"] // MICRO for item in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert seen == [5, 4, 3, 2, 1]


def test_a_party_and_those_who_check_read_the_same_lines(paid, finance, auditor):
    mine = paid.api.get("/api/v1/earnings/lines").json()
    address = f"/api/v1/ledger/parties/{shown('party', paid.party_id)}/lines"
    assert finance.api.get(address).json() == auditor.api.get(address).json() == mine


def test_all_balances_together_are_zero(paid, finance):
    balances = finance.api.get("/api/v1/ledger/balances").json()["items"]
    assert sum(each["balance_micro"] for each in balances) == 0
    owed = {each["party"]: each["balance_micro"] for each in balances if each["account"] == "owed"}
    assert owed == {shown("party", paid.party_id): -25 * MICRO}
    assert all(each["party"] is None for each in balances if each["account"] != "owed")


def test_a_funding_is_made_once_and_has_an_address(finance):
    key = {"Idempotency-Key": "k1"}
    answer = finance.api.post("/api/v1/ledger/funding", FUNDING, headers=key)
    again = finance.api.post("/api/v1/ledger/funding", FUNDING, headers=key)
    assert (answer.status_code, again.status_code) == (201, 201)
    assert again.json() == answer.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert finance.api.get(answer.headers["Location"]).json() == answer.json()
    lines = {each["account"]: each["amount_micro"] for each in answer.json()["entries"]}
    assert lines == {"treasury": 40 * MICRO, "funder": -40 * MICRO}
    other = finance.api.post("/api/v1/ledger/funding", FUNDING | {"words": "Other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert treasury_of(finance.programme.id).amount_micro == 40 * MICRO


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount_micro": 0}, "amount_out_of_range"),
        ({"amount_micro": 1}, "amount_too_fine"),
        ({"amount_micro": "40"}, "fields_invalid"),
        ({"amount_micro": 1.5}, "fields_invalid"),
        ({"words": "x" * 201}, "words_invalid"),
        ({"currency": "USD"}, "fields_invalid"),
    ],
)
def test_a_funding_that_cannot_be_is_named(finance, wish, code):
    answer = finance.api.post("/api/v1/ledger/funding", FUNDING | wish)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_funding_is_taken_back(finance):
    made = finance.api.post("/api/v1/ledger/funding", FUNDING).json()
    answer = finance.api.post(f"{made['url']}/reverse", {"words": "Twice"})
    assert (answer.status_code, answer.json()["reverses"]) == (200, made["id"])
    assert finance.api.get(made["url"]).json()["reversed_by"] == answer.json()["id"]
    again = finance.api.post(f"{made['url']}/reverse", {"words": "Twice"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    back = finance.api.post(f"{answer.json()['url']}/reverse", {"words": "No"})
    assert (back.status_code, back.json()["code"]) == (403, "only_fundings_are_reversed")
    assert ledger_discrepancies() == []


def test_what_is_not_there_any_more_is_not_taken_back(paid, finance):
    (funding,) = [
        each
        for each in finance.api.get("/api/v1/ledger/transactions").json()["items"]
        if each["kind"] == "funding"
    ]
    answer = finance.api.post(f"{funding['url']}/reverse", {"words": "Wrong"})
    assert (answer.status_code, answer.json()["code"]) == (429, "treasury_too_low")
    assert answer.json()["there_micro"] == 975 * MICRO


def test_scopes_are_asked_for_each_address(tester, finance):
    made = a_funding(finance)
    transaction = f"/api/v1/ledger/transactions/{shown('transaction', made.id)}"
    party = f"/api/v1/ledger/parties/{shown('party', tester.party_id)}/lines"
    for address, scope in [
        ("/api/v1/earnings", "earnings:read"),
        ("/api/v1/earnings/lines", "earnings:read"),
        ("/api/v1/ledger/balances", "ledger:read"),
        ("/api/v1/ledger/transactions", "ledger:read"),
        (transaction, "ledger:read"),
        (party, "ledger:read"),
    ]:
        assert api_of(finance.token("clips:read")).get(address).json()["code"] == "wrong_scope"
        assert api_of(finance.token(scope)).get(address).status_code == 200
    reader = api_of(finance.token("ledger:read"))
    for address, body in [
        ("/api/v1/ledger/funding", FUNDING),
        (f"{transaction}/reverse", {"words": "Twice"}),
    ]:
        answer = reader.post(address, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")
    funder = api_of(finance.token("ledger:fund"))
    assert funder.post(f"{transaction}/reverse", {"words": "Twice"}).status_code == 200


@pytest.mark.parametrize("who", ["tester", "reviewer"])
def test_the_ledger_is_not_there_for_others(finance, tester, request, who):
    made = a_funding(finance)
    member = request.getfixturevalue(who)
    transaction = f"/api/v1/ledger/transactions/{shown('transaction', made.id)}"
    for address in [
        "/api/v1/ledger/balances",
        "/api/v1/ledger/transactions",
        transaction,
        f"/api/v1/ledger/parties/{shown('party', tester.party_id)}/lines",
    ]:
        assert member.api.get(address).status_code == 404
    assert member.api.post("/api/v1/ledger/funding", FUNDING).status_code == 404
    assert member.api.post(f"{transaction}/reverse", {"words": "x"}).status_code == 404


def test_another_programme_looks_like_nothing(finance, tester, stranger):
    theirs = a_member(stranger.programme, Role.FINANCE, name="their finance")
    made = a_funding(finance)
    for address in [
        f"/api/v1/ledger/transactions/{shown('transaction', made.id)}",
        f"/api/v1/ledger/parties/{shown('party', tester.party_id)}/lines",
    ]:
        absent = address.rpartition("_")[0] + "_" + "0" * 26
        assert theirs.api.get(address).status_code == 404
        if "/lines" not in address:
            assert theirs.api.get(address).content == theirs.api.get(absent).content
    nobody = f"/api/v1/ledger/parties/{shown('party', new_id())}/lines"
    assert theirs.api.get(nobody).status_code == 404
    assert theirs.api.get("/api/v1/ledger/balances").json()["items"] == []
